import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import type { Field } from '../schema/fields.ts';

/** Every value is a text, and an empty one is `''`. */
export type Values = Readonly<Record<string, string>>;

/** `yyyy-MM-dd HH:mm:ss` in UTC. */
export const timestamp = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ');

const MOMENT = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/u;
const DATE = /^\d{4}-\d{2}-\d{2}$/u;

const dated = (text: string, pattern: RegExp): string =>
  pattern.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T'))) ? text : '';

/** Longer columns are of a type that holds 16 MB whatever their dictionary entry says. */
const LONGEST_CUT = 255;

/**
 * What the database keeps of a value: a text is cut to the length of a short column, and what is no number or no date
 * becomes empty; nothing is refused. Undefined for what is no value.
 */
export const stored = (field: Field, value: unknown): string | undefined => {
  if (value === null) return '';
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value);
  switch (field.type) {
    case 'boolean':
      return String(['true', '1'].includes(text.toLowerCase()));
    case 'integer':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? String(Math.trunc(Number(text))) : '';
    case 'glide_date_time':
      return dated(DATE.test(text) ? `${text} 00:00:00` : text, MOMENT);
    case 'glide_date':
      return dated(text, DATE);
    default:
      return field.maxLength > LONGEST_CUT ? text : text.slice(0, field.maxLength);
  }
};

export const fieldValue = (record: HeldRecord, field: string): string => String(record.fields[field] ?? '');

/** The values of a record as the database has them. */
export const valuesOf = (fields: Fields): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));

/** Texts are compared without regard to letter case, as the database compares them. */
export const sameText = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
