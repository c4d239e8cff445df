import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Table } from '../clients/dynamo.ts';
import type { HashedKeys } from './hashed-keys.ts';

/** Those of the given ids of CRM records, as `<crm>:<id>`, that were linked to a person who was erased. */
export type ErasedReferences = (references: readonly Identifier[]) => Promise<Set<Identifier>>;

export const erasedReferences =
  (table: Pick<Table, 'get'>, loadHashedKeys: () => Promise<HashedKeys>): ErasedReferences =>
  async (references) => {
    const { erasedKey } = await loadHashedKeys();
    const found = new Set((await table.get(references.map(erasedKey))).map(({ pk }) => pk));
    return new Set(references.filter((one) => found.has(erasedKey(one).pk)));
  };
