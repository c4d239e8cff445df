import { partsOfReference, referenceTo } from '../../../core/identity/crm/accounts.ts';
import { referencesIn } from '../../../core/identity/crm/references.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { identifierKey, sortKeyPrefix } from '../../contracts/keys.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import { ownerOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import { busyTable, type ErasePorts } from './parts.ts';

/** A record and the hash of its id are two writes of the 100 that a transaction takes. */
const LINKS_PER_TRANSACTION = 40;

/**
 * Removes the links to the CRM records that rows of a source profile name, and stores under a hash that each was erased, so
 * that the CRM does not bring the person back. A record that is linked to somebody else stays linked. Resolves to the ids
 * in the CRM. Rejects with `HubError` `busy-table` (later).
 */
export const eraseLinks = async (
  { table, loadHashedKeys, runtime }: ErasePorts,
  profileId: string,
  rows: readonly Row[],
): Promise<string[]> => {
  const named = [...new Set(rows.flatMap(referencesOfRow))];
  const owners = new Map(
    (await table.get(named.map(identifierKey)))
      .map(ownerOf)
      .map(({ identifier, profileId }) => [identifier, profileId]),
  );
  const erased = named.filter((one) => (owners.get(one) ?? profileId) === profileId);
  const { erasedKey } = await loadHashedKeys();
  for (let at = 0; at < erased.length; at += LINKS_PER_TRANSACTION) {
    const written = await table.transact(
      erased
        .slice(at, at + LINKS_PER_TRANSACTION)
        .flatMap((one) => [
          { put: { ...erasedKey(one), at: instant(runtime.now()) } },
          { delete: identifierKey(one) },
        ]),
    );
    if (!written) throw busyTable();
  }
  return erased.map((one) => partsOfReference(one).record);
};

/** The record in the state of a sync, unless it is another customer's; and those that CRMs reported with interactions. */
const referencesOfRow = (row: Row): Identifier[] => {
  if (row.sk.startsWith(sortKeyPrefix.interaction)) return referencesIn(interactionOf(row));
  const { record, activityOnly } = row;
  return row.sk.startsWith(sortKeyPrefix.sync) && typeof record === 'string' && activityOnly !== true
    ? [referenceTo(row.sk.slice(sortKeyPrefix.sync.length), record)]
    : [];
};
