import type { Table } from '../aws/clients/dynamo.ts';
import { identifierKey, profileIdOf, syncStateKey } from '../contracts/keys.ts';
import { ownerOf } from '../contracts/rows/people.ts';
import { syncStateOf } from '../contracts/rows/sync.ts';
import type { Links } from './ports.ts';

/** The states and the links of the contacts in one CRM, in the table. */
export const links = (
  table: Pick<Table, 'get' | 'put' | 'transact'>,
  crm: string,
  erased: Links['erased'],
): Links => {
  const referenceKey = (record: string) => identifierKey(`${crm}:${record}`);
  return {
    erased,
    async load(profileIds) {
      const rows = await table.get(profileIds.map((id) => syncStateKey(id, crm)));
      return new Map(rows.map((row) => [profileIdOf(row), syncStateOf(row)]));
    },
    async owners(records) {
      const rows = records.length === 0 ? [] : await table.get(records.map(referenceKey));
      return new Map(
        rows.map(ownerOf).map(({ identifier, profileId }) => [identifier.slice(crm.length + 1), profileId]),
      );
    },
    async save(profileId, { version, ...state }, link) {
      const row = { ...syncStateKey(profileId, crm), ...withoutAbsent(state), version: version + 1 };
      const condition = version === 0 ? ({ absent: true } as const) : ({ version } as const);
      if (link === undefined) return table.put(row, condition);
      const [owner] = (await table.get([referenceKey(link)])).map(ownerOf);
      if (owner !== undefined) return owner.profileId === profileId && (await table.put(row, condition));
      const owned = { identifier: `${crm}:${link}`, profileId, customerProfileIds: [profileId] };
      return table.transact([
        { put: row, if: condition },
        { put: { ...referenceKey(link), ...owned }, if: { absent: true } },
      ]);
    },
  };
};

const withoutAbsent = (state: object): object =>
  Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));
