import * as z from 'zod';
import { PER_PAGE, type Row } from './table.ts';

export const SYS_ID = /^[0-9a-f]{32}$/u;
const Time = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u);

/** Where a page ends: the records after it are later, or of the same second and have a greater sys_id. */
export const Place = z.union([z.tuple([Time]), z.tuple([Time, z.string().regex(SYS_ID)])]);
export type Place = z.infer<typeof Place>;

/** The conditions for the records after a place, by a field of times. An alternative belongs to the condition before it. */
export const after = (field: string, [time, id]: Place): string[] =>
  id === undefined ? [`${field}>${time}`] : [`${field}>=${time}`, `sys_id>${id}`, `OR${field}>${time}`];

export const inOrderOf = (field: string): string[] => [`ORDERBY${field}`, 'ORDERBYsys_id'];

/** The place of the last record of a page; undefined where the page is empty. After a page that is not full it is a second. */
export const placeAfter = (field: string, rows: readonly Row[]): Place | undefined => {
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  return Place.parse(rows.length < PER_PAGE ? [last[field]] : [last[field], last['sys_id']]);
};
