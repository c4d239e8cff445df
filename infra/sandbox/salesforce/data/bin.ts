// Deletions: what goes into the recycle bin and comes out of it, with the children that go along.
import type { Fields } from '../../protocol/sandbox.ts';
import type { ObjectType } from '../schema/fields.ts';
import { point, present, refuseLocked, stamped } from './dml.ts';
import { SaveError } from './errors.ts';
import type { Org, Transaction } from './org.ts';

const AUDIT = ['CreatedById', 'LastModifiedById'];
/** Held with a record that went into the bin because its parent did: the id of the parent. */
const DELETED_WITH = 'DeletedWith';

export const childrenOf = (org: Org, type: ObjectType, id: string) =>
  org.schema
    .children(type)
    .filter(({ field }) => !AUDIT.includes(field.name))
    .flatMap(({ object, field }) =>
      org.findBy(object, field.name, id).map((record) => ({ object, field, id: record.id })),
    );

const refuseHeldByCases = (org: Org, children: ReturnType<typeof childrenOf>): void => {
  const cases = children.filter(({ object, field }) => object.name === 'Case' && field.name !== 'ParentId');
  if (cases.length === 0) return;
  const numbers = cases.map(({ object, id }) => String(org.get(object, id)?.fields['CaseNumber']));
  throw new SaveError(
    'DELETE_FAILED',
    `Your attempt to delete the record could not be completed because it is associated with the following cases.: ${numbers.join(', ')}`,
  );
};

const bin = (transaction: Transaction, type: ObjectType, id: string, more: Fields): void => {
  const before = present(transaction.org, type, id).fields;
  const after = { ...before, ...more, ...stamped(transaction), IsDeleted: true };
  transaction.write({ kind: 'DELETE', type, id, before, after });
};

/** Puts a record into the recycle bin, with the children that go with it. Throws `SaveError`. */
export const remove = (transaction: Transaction, type: ObjectType, id: string, more: Fields = {}): void => {
  const { org } = transaction;
  const { fields } = present(org, type, id);
  // A person account is deleted as a whole.
  if (type.name === 'Contact' && fields['IsPersonAccount'] === true && more[DELETED_WITH] === undefined)
    throw new SaveError('INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id');
  refuseLocked(transaction, type, id);
  const children = childrenOf(org, type, id);
  refuseHeldByCases(org, children);
  for (const { object, field, id: child } of children) {
    // One child can hang on the same record in two ways.
    if (org.get(object, child) === undefined) continue;
    if (field.cascadeDelete) remove(transaction, object, child, { [DELETED_WITH]: id });
    else if (field.nillable) point(transaction, object, child, { [field.name]: null });
  }
  bin(transaction, type, id, more);
};

/** Takes a record out of the recycle bin, with the children that went with it. Throws `SaveError`. */
export const undelete = (transaction: Transaction, type: ObjectType, id: string): void => {
  const { org } = transaction;
  const before = org.held(type, id)?.fields;
  if (before?.['IsDeleted'] !== true || (before['MasterRecordId'] ?? null) !== null)
    throw new SaveError('UNDELETE_FAILED', 'Entity is not in the recycle bin');
  const { [DELETED_WITH]: _, ...fields } = before;
  transaction.write({
    kind: 'UNDELETE',
    type,
    id,
    before,
    after: { ...fields, ...stamped(transaction), IsDeleted: false },
  });
  for (const { object } of org.schema.children(type))
    for (const child of org.allBy(object, DELETED_WITH, id))
      if (child.fields['IsDeleted'] === true) undelete(transaction, object, child.id);
};

/** Moves the children of one record to another, and deletes the one. Throws `SaveError`. */
export const merge = (transaction: Transaction, type: ObjectType, winner: string, loser: string): void => {
  const children = childrenOf(transaction.org, type, loser);
  point(transaction, type, winner, {});
  bin(transaction, type, loser, { MasterRecordId: winner });
  for (const { object, field, id } of children) point(transaction, object, id, { [field.name]: winner });
};
