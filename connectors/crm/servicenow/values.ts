import type { CrmFields, FieldDescription, ObjectDescription } from '../../../core/crm/connector.ts';
import { readTime } from '../../../core/formats/payload.ts';
import type { Row } from './rest/table.ts';

/** Instants as the Table API has them: to the second, in UTC, without saying so. */
const SPELLED = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u;

export const readInstant = (value: string | undefined): string | undefined =>
  value !== undefined && SPELLED.test(value) ? readTime(`${value.replace(' ', 'T')}Z`) : undefined;

export const spellInstant = (instant: string): string => instant.slice(0, 19).replace('T', ' ');

const toText = (value: unknown, type: FieldDescription['type'] | undefined): string => {
  if (value === null || value === undefined) return '';
  if (type === 'datetime' && typeof value === 'string') {
    const instant = readTime(value);
    return instant === undefined ? value : spellInstant(instant);
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** Values as the Table API takes them; an empty text empties a field. */
export const toRow = (values: CrmFields, fields: ObjectDescription): Row =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, toText(value, fields.get(name)?.type)]),
  );

const fromText = (text: string | undefined, type: FieldDescription['type'] | undefined): unknown => {
  if (text === undefined || text === '') return null;
  if (type === 'number') return Number.isFinite(Number(text)) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' || text === '1';
  if (type === 'datetime') return readInstant(text) ?? text;
  return text;
};

/** The values of some fields as the mapping has them; null where empty. */
export const fromRow = (row: Row, names: readonly string[], fields: ObjectDescription): CrmFields =>
  Object.fromEntries(names.map((name) => [name, fromText(row[name], fields.get(name)?.type)]));
