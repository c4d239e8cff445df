import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import { erasedOf } from '../../contracts/rows/people.ts';
import type { Table } from '../clients/dynamo.ts';
import type { HashedKeys } from './hashed-keys.ts';

/**
 * When those of the given identifiers were erased of which a hashed key is still stored: that of a CRM record, as
 * `<crm>:<id>`, for ever, that of an address as `forgetAddress` says.
 */
export type ErasedIdentifiers = (
  identifiers: readonly Identifier[],
) => Promise<ReadonlyMap<Identifier, Instant>>;

export const erasedIdentifiers =
  (table: Pick<Table, 'get'>, loadHashedKeys: () => Promise<HashedKeys>): ErasedIdentifiers =>
  async (identifiers) => {
    const { erasedKey } = await loadHashedKeys();
    const rows = await table.get(identifiers.map(erasedKey));
    const erasedAt = new Map(rows.map((row) => [row.pk, erasedOf(row).at]));
    return new Map(
      identifiers.flatMap((one) => {
        const at = erasedAt.get(erasedKey(one).pk);
        return at === undefined ? [] : [[one, at] as const];
      }),
    );
  };
