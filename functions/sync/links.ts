import type { SyncState } from '../../core/crm/state.ts';
import { type LinkScope, partsOfReference, referenceTo } from '../../core/identity/crm/accounts.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import { identifierKey, profileIdOf, syncStateKey } from '../contracts/keys.ts';
import { ownerOf } from '../contracts/rows/people.ts';
import { syncStateOf } from '../contracts/rows/sync.ts';
import type { Links } from './ports.ts';

/** The states and the links of the contacts in one account of a CRM, in the table. */
export const links = (
  table: Pick<Table, 'get' | 'put' | 'transact'>,
  scope: LinkScope,
  erased: Links['erased'],
): Links => {
  const referenceKey = (record: string) => identifierKey(referenceTo(scope, record));
  const ownerRow = (record: string, profileId: string) => ({
    ...referenceKey(record),
    ...{ identifier: referenceTo(scope, record), profileId, customerProfileIds: [profileId] },
  });
  const nextState = (profileId: string, { version, ...state }: SyncState) => ({
    put: { ...syncStateKey(profileId, scope), ...withoutAbsent(state), version: version + 1 },
    if: version === 0 ? ({ absent: true } as const) : ({ version } as const),
  });
  return {
    erased,
    async load(profileIds) {
      const rows = await table.get(profileIds.map((id) => syncStateKey(id, scope)));
      return new Map(rows.map((row) => [profileIdOf(row), syncStateOf(row)]));
    },
    async owners(records) {
      const rows = records.length === 0 ? [] : await table.get(records.map(referenceKey));
      return new Map(
        rows
          .map(ownerOf)
          .map(({ identifier, profileId }) => [partsOfReference(identifier).record, profileId]),
      );
    },
    async save(profileId, state, link) {
      const next = nextState(profileId, state);
      if (link === undefined) return table.put(next.put, next.if);
      const [owner] = (await table.get([referenceKey(link)])).map(ownerOf);
      if (owner !== undefined) return owner.profileId === profileId && (await table.put(next.put, next.if));
      return table.transact([next, { put: ownerRow(link, profileId), if: { absent: true } }]);
    },
    takeOver(profileId, state, { profileId: from, state: { record: _, reservedUntil: __, ...left } }) {
      return table.transact([
        nextState(profileId, state),
        nextState(from, { ...left, fields: {} }),
        { put: ownerRow(state.record, profileId), if: { exists: true } },
      ]);
    },
  };
};

const withoutAbsent = (state: object): object =>
  Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
