import type { Field } from '../schema/fields.ts';
import { ApiError, SaveError } from './errors.ts';

const NUMERIC = ['int', 'double', 'currency', 'percent'];
const DATE = /^\d{4}-\d{2}-\d{2}$/u;

/** A point in time as the API writes it: seconds are the finest. */
export const timestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}.000+0000`;

const calendarDate = (value: string): string | undefined => {
  const date = value.slice(0, 10);
  const time = DATE.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? undefined : date;
};

const point = (value: string): string | undefined => {
  const time = /^\d{4}-\d{2}-\d{2}/u.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : timestamp(time);
};

const flag = (value: string): boolean | undefined =>
  ({ true: true, '1': true, false: false, '0': false })[value.toLowerCase()];

/** The value of a text, or undefined where it is none of the field's type. */
const fromText = (field: Field, value: string): unknown => {
  if (field.type === 'boolean') return flag(value);
  if (field.type === 'date') return calendarDate(value);
  if (field.type === 'datetime') return point(value);
  if (!NUMERIC.includes(field.type)) return value;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isNaN(number) || (field.type === 'int' && !Number.isInteger(number)) ? undefined : number;
};

const JSON_TOKENS: Readonly<Record<string, string>> = {
  string: 'VALUE_STRING',
  boolean: 'VALUE_FALSE',
  object: 'START_OBJECT',
};
const tokenOf = (value: unknown): string => {
  if (typeof value === 'number') return Number.isInteger(value) ? 'VALUE_NUMBER_INT' : 'VALUE_NUMBER_FLOAT';
  if (value === true) return 'VALUE_TRUE';
  return JSON_TOKENS[typeof value] ?? 'VALUE_STRING';
};

/** The value that a member of a JSON body gives a field; null for none. Throws the `ApiError` that refuses the whole request where the type is wrong. */
export const fromJson = (field: Field, value: unknown, body: string): unknown => {
  if (value === null || value === '') return null;
  const isText = !NUMERIC.includes(field.type) && field.type !== 'boolean';
  if (typeof value === 'boolean' && field.type === 'boolean') return value;
  if (field.type === 'junctionIdList' && Array.isArray(value)) return value.map(String);
  if (
    typeof value === 'number' &&
    NUMERIC.includes(field.type) &&
    (field.type !== 'int' || Number.isInteger(value))
  )
    return value;
  const read = typeof value === 'string' ? fromText(field, value) : undefined;
  if (read !== undefined) return isText && typeof read === 'string' ? emptied(read) : read;
  const column = body.indexOf(`"${field.name}"`) + 1;
  const type = isText && !['date', 'datetime'].includes(field.type) ? 'string' : field.type;
  throw new ApiError(
    400,
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${type} from ${tokenOf(value)} value ${typeof value === 'object' ? '{' : String(value)} or request may be missing a required field at [line:1, column:${column}]`,
  );
};

/** The value that a cell of CSV gives a field. */
export const fromCell = (field: Field, value: string): unknown => {
  const read = fromText(field, value);
  if (read === undefined)
    throw new SaveError(
      'INVALID_TYPE_ON_FIELD_IN_RECORD',
      `${field.label}: value not of required type: ${value}`,
      [field.name],
    );
  return typeof read === 'string' ? emptied(read) : read;
};

const emptied = (value: string): string | null => (value.trim() === '' ? null : value.trim());

const isEmail = (value: string): boolean => {
  const [local, domain, ...rest] = value.split('@');
  return (
    Boolean(local) &&
    domain !== undefined &&
    rest.length === 0 &&
    !/[\s,;<>()"]/u.test(value) &&
    domain.includes('.') &&
    domain.split('.').every(Boolean)
  );
};

/** Refuses a value that the field cannot hold. */
export const checkValue = (field: Field, value: unknown): void => {
  if (typeof value !== 'string') return;
  if (field.length > 0 && value.length > field.length && field.type !== 'reference')
    throw new SaveError(
      'STRING_TOO_LONG',
      `${field.label}: data value too large: ${value} (max length=${field.length})`,
      [field.name],
    );
  if (field.type === 'email' && !isEmail(value))
    throw new SaveError('INVALID_EMAIL_ADDRESS', `${field.label}: invalid email address: ${value}`, [
      field.name,
    ]);
  if (!field.restricted) return;
  const chosen = field.type === 'multipicklist' ? value.split(';') : [value];
  if (chosen.some((one) => !field.values.includes(one)))
    throw new SaveError(
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
      `${field.label}: bad value for restricted picklist field: ${value}`,
      [field.name],
    );
};
