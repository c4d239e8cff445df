import * as z from 'zod';
import { HubError } from '../../errors.ts';
import { e164 } from '../../identity/normalise.ts';

/** A named change of a field's value in `mappings/crm/<crm>.yaml`. */
export const Transform = z
  .union([
    z.enum([
      'trim',
      'lower',
      'upper',
      'title',
      'e164',
      'date',
      'datetime',
      'first',
      'boolean',
      'number',
      'join',
      'escape',
    ]),
    z.strictObject({ truncate: z.int().positive() }),
    z.strictObject({ lookup: z.record(z.string(), z.json()) }),
    z.strictObject({ join: z.string() }),
    z.strictObject({ default: z.json() }),
  ])
  .meta({ title: 'transform' });
export type Transform = z.infer<typeof Transform>;

/** What each transform takes and gives, for the documentation. */
export const transformWords: Readonly<Record<string, { readonly form: string; readonly does: string }>> = {
  trim: { form: '`trim`', does: 'text → text without blanks at the ends' },
  lower: { form: '`lower`', does: 'text → text in lower case' },
  upper: { form: '`upper`', does: 'text → text in upper case' },
  title: { form: '`title`', does: 'text → text with capital initials' },
  e164: { form: '`e164`', does: 'text → phone number such as +14155550100; nothing if it is none' },
  date: { form: '`date`', does: 'text in ISO 8601 → yyyy-mm-dd; any other text is a failure of the record' },
  datetime: {
    form: '`datetime`',
    does: 'text in ISO 8601 → the instant in UTC; any other text is a failure of the record',
  },
  first: { form: '`first`', does: 'list → its first element' },
  boolean: { form: '`boolean`', does: 'true, yes and 1 → true; any other value → false' },
  number: { form: '`number`', does: 'text → number; any other text is a failure of the record' },
  join: { form: '`join`, `{ join: "; " }`', does: 'list → text; the separator is a comma if none is given' },
  escape: { form: '`escape`', does: 'text → HTML, line breaks as `<br>`' },
  truncate: { form: '`{ truncate: 40 }`', does: 'text → at most so many characters, cut between characters' },
  lookup: {
    form: '`{ lookup: { sms: SMS } }`',
    does: 'value → what the table has for it; nothing if it has none',
  },
  default: { form: '`{ default: x }`', does: 'no value → this one' },
};

const onText =
  (change: (text: string) => unknown): ((value: unknown) => unknown) =>
  (value) =>
    typeof value === 'string' ? change(value) : value;

const byName: Readonly<Record<string, (value: unknown) => unknown>> = {
  trim: onText((text) => text.trim()),
  lower: onText((text) => text.toLowerCase()),
  upper: onText((text) => text.toUpperCase()),
  title: onText((text) => text.toLowerCase().replace(/(^|[\s'-])\p{L}/gu, (match) => match.toUpperCase())),
  e164: onText((text) => e164(text)),
  date: onText((text) => instantOf(text).slice(0, 'yyyy-mm-dd'.length)),
  datetime: onText(instantOf),
  first: (value) => (Array.isArray(value) ? value[0] : value),
  boolean: (value) =>
    value === undefined ? undefined : value === true || /^(?:true|yes|1)$/iu.test(String(value)),
  number: (value) => (value === undefined || value === '' ? undefined : numberOf(value)),
  join: (value) => (Array.isArray(value) ? value.join(', ') : value),
  escape: onText((text) => escapeHtml(text).replaceAll('\n', '<br>')),
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);

/** ISO 8601: a date alone, or with a time and, if it matters, an offset. */
const ISO_DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/u;

/** Throws `HubError` `invalid-field-value` for a text that is no date: a guess would be wrong in half of the world. */
function instantOf(text: string): string {
  const at = ISO_DATE.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw notA('date of the form yyyy-mm-dd');
}

function numberOf(value: unknown): number {
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  throw notA('number');
}

const notA = (expected: string): HubError =>
  new HubError('invalid-field-value', `A value that is mapped to a field of the CRM is no ${expected}.`, {
    retry: 'never',
  });

/** The function of a transform. A value that it does not apply to passes unchanged. */
export const transformer = (transform: Transform): ((value: unknown) => unknown) => {
  if (typeof transform === 'string') return byName[transform] ?? ((value) => value);
  if ('truncate' in transform) return onText((text) => cutText(text, transform.truncate));
  if ('lookup' in transform) return (value) => transform.lookup[String(value)];
  if ('join' in transform) return (value) => (Array.isArray(value) ? value.join(transform.join) : value);
  return (value) => (value === undefined || value === null || value === '' ? transform.default : value);
};

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The beginning of a text with at most `most` UTF-16 units, as CRMs count them, cut between characters. */
const cutText = (text: string, most: number): string => {
  if (text.length <= most) return text;
  let end = 0;
  for (const { index, segment } of characters.segment(text)) {
    if (index + segment.length > most) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
};
