import type { Fields } from '../../protocol/sandbox.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import { insert, update } from './dml.ts';
import { SaveError } from './errors.ts';
import { normalId } from './ids.ts';
import type { Transaction } from './org.ts';

interface Upserted {
  readonly id: string;
  readonly created: boolean;
}

/**
 * One row of an upsert of many. `seen` holds the keys of the rows before it, of which none may come twice; `decided` is told
 * whether the row would be new, before it can fail. Throws `SaveError`.
 */
export const upsertRow = (
  transaction: Transaction,
  type: ObjectType,
  key: Field,
  values: Fields,
  seen: Set<string>,
  decided: (isNew: boolean) => void = () => undefined,
): Upserted => {
  const { [key.name]: value, ...others } = values;
  const record =
    key.type === 'id' ? byId(transaction, type, value) : byKey(transaction, type, key, value, seen);
  decided(record === undefined);
  const { Id: _, ...rest } = others;
  if (record !== undefined) {
    update(transaction, type, record, rest);
    return { id: record, created: false };
  }
  return {
    id: insert(transaction, type, key.type === 'id' ? rest : { ...rest, [key.name]: value }),
    created: true,
  };
};

/** The id of the record with this id; undefined where none is given. */
const byId = ({ org }: Transaction, type: ObjectType, value: unknown): string | undefined => {
  if (value === undefined || value === null || value === '') return undefined;
  const id = normalId(String(value));
  if (id === undefined) throw new SaveError('MALFORMED_ID', `malformed id ${String(value)}`);
  if (org.get(type, id) === undefined)
    throw new SaveError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
  return id;
};

/** The id of the only record with this key; undefined where there is none. */
const byKey = (
  { org }: Transaction,
  type: ObjectType,
  key: Field,
  value: unknown,
  seen: Set<string>,
): string | undefined => {
  if (value === undefined || value === null)
    throw new SaveError('MISSING_ARGUMENT', `${key.name} not specified`, [key.name]);
  const text = key.caseSensitive ? String(value) : String(value).toLowerCase();
  if (seen.has(text))
    throw new SaveError('DUPLICATE_VALUE', `Duplicate external id specified: ${String(value)}`, [key.name]);
  seen.add(text);
  const found = org
    .findBy(type, key.name, value)
    .filter(({ fields }) => !key.caseSensitive || fields[key.name] === value);
  if (found.length > 1)
    throw new SaveError(
      'DUPLICATE_EXTERNAL_ID',
      `${key.label}: more than one record found for external id field: [${found.map(({ id }) => id).join(', ')}]`,
      [key.name],
    );
  return found[0]?.id;
};
