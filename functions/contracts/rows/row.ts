import type * as z from 'zod';
import type { Key } from '../keys.ts';

/** A row of the table before its schema was checked. */
export type Row = Key & Readonly<Record<string, unknown>>;

/**
 * A reader of one kind of row: drops the attributes that only the table needs (`pk`, `sk`, `expiresAt`) and checks the
 * rest. Throws `ZodError` where the row does not fit.
 */
export const rowReader =
  <Schema extends z.ZodType>(schema: Schema) =>
  ({ pk: _pk, sk: _sk, expiresAt: _expiresAt, ...rest }: Row): z.output<Schema> =>
    schema.parse(rest);
