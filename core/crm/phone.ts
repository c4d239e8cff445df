/** Country calling codes of one and two digits; all others have three (ITU E.164). */
const CALLING_CODE = /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})/u;

/** The digits of an E.164 number, with the calling code and without. */
const digitsOf = (e164: string): { readonly all: string; readonly national: string } => {
  const all = e164.replace(/\D/gu, '');
  return { all, national: all.replace(CALLING_CODE, '') };
};

/**
 * The forms in which a number is written, as words of a text: as digits, international and national, with and without its
 * trunk prefix; digits with more behind them (`*`), such as an extension; and, in North America, in groups.
 */
export const phoneForms = (e164: string): string[] => {
  const { all, national } = digitsOf(e164);
  const [, ...groups] = /^1(\d{3})(\d{3})(\d{4})$/u.exec(all) ?? [];
  const grouped = groups.length > 0 ? [groups.join(' ')] : [];
  return [all, national, `0${national}`, `${all}*`, `${national}*`, ...grouped];
};

/** A number as somebody typed it, without the extension of a desk. */
export const withoutExtension = (typed: string): string => typed.split(/ext|x|#/iu)[0] ?? '';

/** Whether a number as somebody typed it is this one: of another country's numbers only the complete ones are. */
export const isPhone = (typed: string, e164: string): boolean => {
  const { all, national } = digitsOf(e164);
  const digits = withoutExtension(typed).replace(/\(0\)/gu, '').replace(/\D/gu, '');
  const forms = typed.trim().startsWith('+')
    ? [all]
    : [all, national, `0${national}`, `00${all}`, `011${all}`];
  return forms.includes(digits) || (all.startsWith('7') && digits === `8${national}`);
};
