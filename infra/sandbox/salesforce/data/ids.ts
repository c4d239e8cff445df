const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The two letters that name the instance, between the prefix of the object and the number of the record. */
const INSTANCE = 'al';
const ID_LENGTH = 15;

/** The id of 18 characters: the last three say which of the first 15 are capitals. */
const withSuffix = (id: string): string => {
  const suffix = [0, 5, 10].map((start) => {
    const capitals = [...id.slice(start, start + 5)].map((character) => Number(/[A-Z]/u.test(character)));
    return SUFFIX[capitals.reduce((sum, bit, index) => sum + (bit << index), 0)];
  });
  return id + suffix.join('');
};

/** The id of 18 characters in its right letter case; undefined for a text that is no id. */
export const normalId = (text: string): string | undefined => {
  if (!/^(?:[a-zA-Z0-9]{15}|[a-zA-Z0-9]{18})$/u.test(text)) return undefined;
  if (text.length === ID_LENGTH) return withSuffix(text);
  const suffix = [...text.slice(ID_LENGTH).toUpperCase()].map((character) => SUFFIX.indexOf(character));
  const restored = [...text.slice(0, ID_LENGTH)].map((character, index) => {
    const capital = ((suffix[Math.floor(index / 5)] ?? 0) >> (index % 5)) & 1;
    return capital ? character.toUpperCase() : character.toLowerCase();
  });
  const id = withSuffix(restored.join(''));
  return id.toUpperCase() === text.toUpperCase() ? id : undefined;
};

/** The id of the record with this number. */
export const idOf = (prefix: string, number: number): string => {
  let digits = '';
  for (let rest = number; rest > 0; rest = Math.floor(rest / DIGITS.length))
    digits = DIGITS[rest % DIGITS.length] + digits;
  return withSuffix(`${prefix}${INSTANCE}0${digits.padStart(9, '0')}`);
};

/** The number of a record, from its id. */
export const numberOf = (id: string): number =>
  [...id.slice(6, ID_LENGTH)].reduce((sum, digit) => sum * DIGITS.length + DIGITS.indexOf(digit), 0);
