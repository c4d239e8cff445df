import type { CrmConnector, FieldDescription } from '../connector.ts';
import type { Possible, ValueKind } from './possible.ts';

/** Why the values of a rule do not fit a field. `ok`: the CRM refuses only some of them, perhaps. */
export interface Misfit {
  readonly says: string;
  readonly advice: string;
  readonly ok: boolean;
}

const words: Readonly<Record<ValueKind, string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date',
  datetime: 'a date with a time',
  list: 'a list',
  object: 'an object',
  any: 'any value',
};

const fieldWords: Readonly<Record<FieldDescription['type'], string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date',
  datetime: 'a date with a time',
  choice: 'a choice',
  reference: 'the id of another record',
  other: 'a value of another type',
};

/** The kinds that a field takes as they are. */
const taken: Readonly<Record<FieldDescription['type'], readonly ValueKind[]>> = {
  text: ['text', 'date', 'datetime'],
  number: ['number'],
  boolean: ['boolean'],
  date: ['date'],
  datetime: ['datetime', 'date'],
  choice: ['text'],
  reference: ['text'],
  other: ['text', 'number', 'boolean', 'date', 'datetime', 'list', 'object'],
};

/** What else a field takes of a CRM that reads every value from its text. */
const takenAsText: Readonly<Partial<Record<FieldDescription['type'], readonly ValueKind[]>>> = {
  text: ['number', 'boolean', 'list'],
  choice: ['list', 'number', 'boolean'],
};

/** Transforms that make a value of the field's type. */
const remedies: Readonly<Record<FieldDescription['type'], string>> = {
  text: 'Add a transform that makes a text: `join` or `first` for a list, else use `template`.',
  number: 'Add `transform: [number]`.',
  boolean: 'Add `transform: [boolean]`.',
  date: 'Add `transform: [date]`.',
  datetime: 'Add `transform: [datetime]`.',
  choice: 'Add a `lookup` to the choices of the field.',
  reference: 'Map the id of a record, or make a link under `links`.',
  other: 'Map another field.',
};

const ISO_DATE = /^\d{4}-\d\d-\d\d/u;

/** Whether the text of a constant is a value of the type. */
const isText: Readonly<Partial<Record<FieldDescription['type'], (text: string) => boolean>>> = {
  number: (text) => text.trim() !== '' && Number.isFinite(Number(text)),
  boolean: (text) => /^(?:true|false)$/iu.test(text),
  date: (text) => ISO_DATE.test(text),
  datetime: (text) => ISO_DATE.test(text),
};

/** Why values do not fit a field; empty where they do. */
export const misfits = (
  possible: Possible,
  field: FieldDescription,
  style: CrmConnector['values'],
): Misfit[] => {
  const kind = wrongKind(possible, field, style);
  return kind === undefined ? [...wrongChoices(possible, field), ...tooLong(possible, field)] : [kind];
};

const wrongKind = (
  possible: Possible,
  { type }: FieldDescription,
  style: CrmConnector['values'],
): Misfit | undefined => {
  const fitting = new Set([...taken[type], ...(style === 'text' ? (takenAsText[type] ?? []) : []), 'any']);
  const wrong = [...possible.kinds].filter((kind) => !fitting.has(kind));
  const reads = isText[type];
  const areTexts =
    reads !== undefined &&
    possible.isListed &&
    possible.values?.every((one) => typeof one !== 'string' || reads(one)) === true;
  if (wrong.length === 0 || (areTexts && wrong.every((kind) => kind === 'text'))) return undefined;
  return {
    says: `takes ${fieldWords[type]}, and the mapping gives ${wrong.map((kind) => words[kind]).join(' or ')}`,
    advice: remedies[type],
    ok: false,
  };
};

const MOST_SHOWN = 12;

const wrongChoices = (
  { values, isListed, kinds }: Possible,
  { type, choices }: FieldDescription,
): Misfit[] => {
  if (type !== 'choice' || choices === undefined) return [];
  const shown = shortened(choices);
  if (values === undefined)
    return kinds.has('any') || kinds.has('text')
      ? [
          {
            says: `takes only ${shown}, and the mapping may give any text`,
            advice: 'Add a `lookup` to the choices of the field; a text without a choice is then left out.',
            ok: true,
          },
        ]
      : [];
  const wrong = values.flatMap((one) => String(one).split(';')).filter((one) => !choices.includes(one));
  if (wrong.length === 0) return [];
  const isRefused = isListed || wrong.length === values.length;
  return [
    {
      says: `takes only ${shown}, and the mapping ${isRefused ? 'gives' : 'may give'} ${shortened(wrong)}`,
      advice: `Correct the mapping${isListed ? '' : ' with a `lookup`'}, or add the choice in the CRM.`,
      ok: !isRefused,
    },
  ];
};

const shortened = (words: readonly string[]): string => {
  const shown = words.slice(0, MOST_SHOWN).join(', ');
  return words.length > MOST_SHOWN ? `${shown} and ${words.length - MOST_SHOWN} more` : shown || 'nothing';
};

/** Only the text of a message is expected to be longer. */
const LONG = 10_000;

const tooLong = (
  { kinds, length, isListed, hasBody }: Possible,
  { type, length: most }: FieldDescription,
): Misfit[] => {
  if (type !== 'text' || most === undefined || (length !== undefined && length <= most)) return [];
  if (length === undefined && most >= LONG && !hasBody) return [];
  const hasText = kinds.has('text') || kinds.has('any') || kinds.has('list');
  if (!hasText) return [];
  return [
    {
      says: `takes ${most} characters, and the mapping ${isListed ? `gives ${length}` : length === undefined ? 'gives texts of any length' : `gives up to ${length}`}`,
      advice: `Add \`transform: [{ truncate: ${most} }]\`, or make the field longer.`,
      ok: !isListed,
    },
  ];
};
