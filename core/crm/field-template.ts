import { HubError } from '../errors.ts';

// The part of Liquid that a CRM field needs, with Liquid's own meaning: outputs with filters, `if`, `elsif`, `unless`,
// `else`. The templates of messages have the whole language (core/triggers/template.ts), at ten times the size of this.

type Value = (view: object) => unknown;
type Part = (view: object) => string;

const stringOf = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  return Array.isArray(value) ? value.map(stringOf).join('') : String(value);
};
const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
const isFalse = (value: unknown): boolean => value === undefined || value === null || value === false;
const numberOf = (value: unknown, otherwise: number): number =>
  value === undefined ? otherwise : Number(value);

type Filter = (value: unknown, ...given: unknown[]) => unknown;

const filters: Readonly<Record<string, Filter>> = {
  append: (value, text) => stringOf(value) + stringOf(text),
  capitalize: (value) => {
    const text = stringOf(value);
    return text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();
  },
  default: (value, other) =>
    isFalse(value) || value === '' || (Array.isArray(value) && value.length === 0) ? other : value,
  downcase: (value) => stringOf(value).toLowerCase(),
  first: (value) => (Array.isArray(value) || typeof value === 'string' ? value[0] : ''),
  join: (value, between = ' ') => listOf(value).map(stringOf).join(stringOf(between)),
  last: (value) => (Array.isArray(value) || typeof value === 'string' ? value.at(-1) : ''),
  prepend: (value, text) => stringOf(text) + stringOf(value),
  remove: (value, text) => stringOf(value).split(stringOf(text)).join(''),
  replace: (value, text, by) => stringOf(value).split(stringOf(text)).join(stringOf(by)),
  size: (value) => (Array.isArray(value) || typeof value === 'string' ? value.length : 0),
  strip: (value) => stringOf(value).trim(),
  strip_newlines: (value) => stringOf(value).replace(/\r?\n/gu, ''),
  truncate: (value, length, end = '...') => {
    const [text, most, mark] = [stringOf(value), numberOf(length, 50), stringOf(end)];
    return text.length <= most ? value : text.substring(0, most - mark.length) + mark;
  },
  upcase: (value) => stringOf(value).toUpperCase(),
};

type Compare = (one: unknown, other: unknown) => boolean;
const comparable = (one: unknown, other: unknown): boolean => !isFalse(one) && !isFalse(other);

const comparisons: Readonly<Record<string, Compare>> = {
  '==': (one, other) => (one ?? undefined) === (other ?? undefined),
  '!=': (one, other) => (one ?? undefined) !== (other ?? undefined),
  '<': (one, other) => comparable(one, other) && (one as number) < (other as number),
  '>': (one, other) => comparable(one, other) && (one as number) > (other as number),
  '<=': (one, other) => comparable(one, other) && (one as number) <= (other as number),
  '>=': (one, other) => comparable(one, other) && (one as number) >= (other as number),
  contains: (one, other) => {
    if (Array.isArray(one)) return one.includes(other);
    return typeof one === 'string' && one.includes(stringOf(other));
  },
};

const TOKEN =
  /\s*(?:("[^"]*"|'[^']*')|(-?\d+(?:\.\d+)?)|([\p{L}_][\p{L}\p{N}_-]*(?:\.[\p{L}\p{N}_-]+|\[(?:\d+|"[^"]*"|'[^']*')\])*)|([=!<>]=|[<>|:,]))/uy;

/** The words of an expression; throws where something else stands. */
const wordsOf = (text: string): string[] => {
  const words: string[] = [];
  TOKEN.lastIndex = 0;
  for (let end = 0; text.slice(end).trim() !== ''; end = TOKEN.lastIndex) {
    TOKEN.lastIndex = end;
    const found = TOKEN.exec(text);
    if (found === null) throw fault(`cannot read ${JSON.stringify(text.slice(end).trim())}`);
    words.push(found[0].trim());
  }
  return words;
};

const fault = (why: string): HubError =>
  new HubError(
    'invalid-template',
    `The template of a field: ${why}. It may use {{ path | filter: argument }} with the filters ${Object.keys(filters).join(', ')}, and {% if %}, {% elsif %}, {% unless %}, {% else %}.`,
    { retry: 'never' },
  );

const constants: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null, null: null };

const readingOf = (word: string | undefined): Value => {
  if (word === undefined || Object.hasOwn(comparisons, word) || /^[|:,]$/u.test(word))
    throw fault(`a value is missing${word === undefined ? '' : ` before ${word}`}`);
  if (word === 'empty' || word === 'blank') throw fault(`${word} is a word of Liquid that is not known here`);
  if (/^["']/u.test(word)) return () => word.slice(1, -1);
  if (/^-?\d/u.test(word)) return () => Number(word);
  if (Object.hasOwn(constants, word)) return () => constants[word];
  const steps = [...word.matchAll(/[^.[\]"']+/gu)].map(([step]) => step);
  return (view) => steps.reduce<unknown>(stepInto, view);
};

const stepInto = (from: unknown, step: string): unknown => {
  if (typeof from === 'object' && from !== null && Object.hasOwn(from, step)) return Reflect.get(from, step);
  if (!Array.isArray(from) && typeof from !== 'string') return undefined;
  if (step === 'size') return from.length;
  if (step === 'first') return from[0];
  return step === 'last' ? from.at(-1) : undefined;
};

/** `value | filter: argument, argument | …` */
const outputOf = (text: string): Part => {
  const [first = [], ...calls] = split(wordsOf(text), '|');
  if (first.length !== 1) throw fault(`{{${text}}} is not one value`);
  const value = readingOf(first[0]);
  const applied = calls.map(([name = '', colon, ...given]) => {
    const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
    if (filter === undefined) throw fault(`there is no filter ${JSON.stringify(name)}`);
    if (colon !== undefined && colon !== ':') throw fault(`a colon is missing behind ${name}`);
    const lists = colon === undefined ? [] : split(given, ',');
    if (lists.some((list) => list.length !== 1)) throw fault(`the arguments of ${name} cannot be read`);
    return { filter, given: lists.map(([word]) => readingOf(word)) };
  });
  return (view) =>
    stringOf(
      applied.reduce<unknown>(
        (result, { filter, given }) => filter(result, ...given.map((one) => one(view))),
        value(view),
      ),
    );
};

const split = (words: readonly string[], by: string): string[][] => {
  const lists: string[][] = [[]];
  for (const word of words) {
    if (word === by) lists.push([]);
    else lists.at(-1)?.push(word);
  }
  return lists;
};

/** `and` and `or` bind from the right, as in Liquid. */
const conditionOf = (words: readonly string[]): ((view: object) => boolean) => {
  const at = words.findIndex((word) => word === 'and' || word === 'or');
  if (at >= 0) {
    const [left, right] = [conditionOf(words.slice(0, at)), conditionOf(words.slice(at + 1))];
    return words[at] === 'and' ? (view) => left(view) && right(view) : (view) => left(view) || right(view);
  }
  const [one, operator, other, ...more] = words;
  if (more.length > 0) throw fault(`the condition ${words.join(' ')} cannot be read`);
  const left = readingOf(one);
  if (operator === undefined) return (view) => !isFalse(left(view));
  const compare = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (compare === undefined) throw fault(`there is no comparison ${operator}`);
  const right = readingOf(other);
  return (view) => compare(left(view), right(view));
};

interface Branch {
  readonly holds: (view: object) => boolean;
  readonly parts: Part[];
}

interface Block {
  readonly end: string;
  readonly branches: Branch[];
}

/** Makes a template ready. Throws `HubError` `invalid-template` that says what it may hold. */
export const fieldTemplate = (template: string): ((view: object) => string) => {
  const whole: Part[] = [];
  const open: Block[] = [];
  const parts = (): Part[] => open.at(-1)?.branches.at(-1)?.parts ?? whole;
  // A dash inside a mark takes the blanks beside it away.
  const marks = template.split(/(\{\{-?[\s\S]*?-?\}\}|\{%-?[\s\S]*?-?%\})/u);
  for (const [at, piece] of marks.entries()) {
    if (at % 2 === 0) {
      const left = marks[at - 1]?.at(-3) === '-' ? piece.trimStart() : piece;
      const text = marks[at + 1]?.charAt(2) === '-' ? left.trimEnd() : left;
      if (/\{\{|\{%/u.test(text)) throw fault(`a mark is not closed in ${JSON.stringify(text)}`);
      if (text !== '') parts().push(() => text);
      continue;
    }
    const inside = piece.slice(2, -2).replace(/^-|-$/gu, '');
    if (piece.startsWith('{{')) parts().push(outputOf(inside));
    else tag(wordsOf(inside), open, parts);
  }
  const [unclosed] = open;
  if (unclosed) throw fault(`${unclosed.end} is missing`);
  return (view) => joined(whole, view);
};

const joined = (parts: readonly Part[], view: object): string => {
  let text = '';
  for (const part of parts) text += part(view);
  return text;
};

const tag = ([name = '', ...words]: readonly string[], open: Block[], parts: () => Part[]): void => {
  const block = open.at(-1);
  if (name === 'if' || name === 'unless') {
    const holds = conditionOf(words);
    const branches = [{ holds: name === 'if' ? holds : (view: object) => !holds(view), parts: [] }];
    parts().push((view) => joined(branches.find((branch) => branch.holds(view))?.parts ?? [], view));
    open.push({ end: `end${name}`, branches });
  } else if (name === 'elsif' && block) block.branches.push({ holds: conditionOf(words), parts: [] });
  else if (name === 'else' && block) block.branches.push({ holds: () => true, parts: [] });
  else if (name === block?.end) open.pop();
  else throw fault(`the tag ${JSON.stringify(name)} stands where it may not`);
};
