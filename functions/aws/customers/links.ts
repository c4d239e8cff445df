import type { Identifier } from '../../../core/identity/identifier.ts';
import { identifierKey, profileKey } from '../../contracts/keys.ts';
import { ownerOf } from '../../contracts/rows/people.ts';
import type { Table, Write } from '../clients/dynamo.ts';

/** By the ids of CRM records, as `<crm>:<id>`, the source profiles that are linked to them, in one batched read. */
export const linkedProfiles = async (
  table: Pick<Table, 'get'>,
  references: readonly Identifier[],
): Promise<ReadonlyMap<Identifier, string>> =>
  new Map(
    (await table.get(references.map(identifierKey)))
      .map(ownerOf)
      .map(({ identifier, profileId }) => [identifier, profileId]),
  );

/**
 * Links a source profile to a record, for the transaction that stores it in the state of the sync. The transaction fails
 * where somebody is linked to the record already, and where the customer was erased since.
 */
export const linkWrites = (reference: Identifier, profileId: string): Write[] => [
  {
    put: { ...identifierKey(reference), identifier: reference, profileId, customerProfileIds: [profileId] },
    if: { absent: true },
  },
  { check: profileKey(profileId), if: { exists: true } },
];

/** Removes the link to a record, which only who is linked to it may do. */
export const unlinkWrite = (reference: Identifier): Write => ({ delete: identifierKey(reference) });
