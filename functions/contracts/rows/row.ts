import type * as z from 'zod';
import { tolerant } from '../../../core/formats/tolerant.ts';
import type { Key } from '../keys.ts';

/** A row of the table before its schema was checked. */
export type Row = Key & Readonly<Record<string, unknown>>;

/** Reads one kind of row. `schema`: of its attributes, without those that only the table needs. */
export interface RowReader<Schema extends z.ZodType> {
  (row: Row): z.output<Schema>;
  readonly schema: Schema;
}

/**
 * A reader of one kind of row: drops the attributes that only the table needs (`pk`, `sk`, `expiresAt`) and checks the
 * rest as `tolerant` does. Throws `ZodError` where the row does not fit.
 */
export const rowReader = <Schema extends z.ZodType>(written: Schema): RowReader<Schema> => {
  const schema = tolerant(written);
  return Object.assign(
    ({ pk: _pk, sk: _sk, expiresAt: _expiresAt, ...rest }: Row): z.output<Schema> => schema.parse(rest),
    { schema },
  );
};
