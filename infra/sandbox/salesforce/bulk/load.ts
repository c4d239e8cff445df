import type { Fields } from '../../protocol/sandbox.ts';
import { remove } from '../data/bin.ts';
import type { Caller } from '../data/change.ts';
import { insert, update } from '../data/dml.ts';
import { SaveError } from '../data/errors.ts';
import { normalId } from '../data/ids.ts';
import { columnReader } from '../data/input.ts';
import type { Org, Transaction } from '../data/org.ts';
import { upsertRow } from '../data/upsert.ts';
import type { ObjectType } from '../schema/fields.ts';
import { parseCsv } from './csv.ts';

export type Operation = 'insert' | 'update' | 'upsert' | 'delete' | 'hardDelete';

export interface Load {
  readonly operation: Operation;
  readonly object: string;
  readonly keyField?: string | undefined;
  readonly delimiter: string;
}

interface Outcome {
  readonly row: readonly string[];
  readonly id: string;
  readonly created: boolean;
  readonly error?: SaveError;
}

export interface Loaded {
  readonly header: readonly string[];
  readonly outcomes: readonly Outcome[];
}

/** Why a whole job fails: nothing of it is done. */
export class LoadError extends Error {}

/** Bulk jobs work in transactions of this many records. */
const CHUNK = 200;

type Columns = readonly ((cell: string) => readonly [string, unknown])[];

const columnsOf = (org: Org, type: ObjectType, { operation }: Load, header: readonly string[]): Columns =>
  header.map((column) => {
    const reader = columnReader(org, type, column);
    if (reader) return reader;
    if (operation === 'delete' || operation === 'hardDelete') return (cell) => [column, cell];
    throw new LoadError(`InvalidBatch : Field name not found : ${column}`);
  });

/** Does what a CSV text says, row by row. Throws `LoadError`. */
export const load = (org: Org, caller: Caller, job: Load, csv: string): Loaded => {
  const [header = [], ...rows] = parseCsv(csv, job.delimiter);
  const type = org.schema.object(job.object);
  if (type === undefined) throw new LoadError(`InvalidBatch : Unable to find object: ${job.object}`);
  const columns = columnsOf(org, type, job, header);
  const seen = new Set<string>();
  const outcomes: Outcome[] = [];
  for (let start = 0; start < rows.length; start += CHUNK)
    org.transaction(caller, (transaction) => {
      for (const row of rows.slice(start, start + CHUNK))
        outcomes.push(outcomeOf(transaction, job, type, columns, row, seen));
    });
  return { header, outcomes };
};

const outcomeOf = (
  transaction: Transaction,
  job: Load,
  type: ObjectType,
  columns: Columns,
  row: readonly string[],
  seen: Set<string>,
): Outcome => {
  const savepoint = transaction.savepoint();
  try {
    // An empty cell changes nothing.
    const values = Object.fromEntries(
      row
        .flatMap((cell, index) => (cell === '' ? [] : [columns[index]?.(cell) ?? []]))
        .filter((entry) => entry.length === 2),
    );
    return { row, ...done(transaction, job, type, values, seen) };
  } catch (error) {
    transaction.rollback(savepoint);
    if (!(error instanceof SaveError)) throw error;
    return { row, id: '', created: false, error };
  }
};

const done = (
  transaction: Transaction,
  { operation, keyField }: Load,
  type: ObjectType,
  values: Fields,
  seen: Set<string>,
) => {
  const { Id, ...others } = values;
  if (operation === 'insert') return { id: insert(transaction, type, others), created: true };
  if (operation === 'upsert') {
    const key = transaction.org.schema.field(type, keyField ?? 'Id');
    if (key === undefined)
      throw new SaveError(
        'INVALID_FIELD',
        `No such column '${keyField ?? ''}' on sobject of type ${type.name}`,
      );
    return upsertRow(transaction, type, key, values, seen);
  }
  if (Id === undefined)
    throw new SaveError(
      'MISSING_ARGUMENT',
      `Id not specified in ${operation === 'update' ? 'an update' : 'a delete'} call`,
    );
  const id = normalId(String(Id));
  if (id === undefined || !id.startsWith(type.keyPrefix))
    throw new SaveError('MALFORMED_ID', `malformed id ${String(Id)}`, ['Id']);
  if (operation === 'update') update(transaction, type, id, others);
  else remove(transaction, type, id);
  return { id, created: false };
};
