import type { CasesState } from '../../../core/crm/cases.ts';
import type { LinkScope } from '../../../core/identity/crm/accounts.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { casesKey, profileIdOf } from '../../contracts/keys.ts';
import { casesOf } from '../../contracts/rows/sync.ts';

/** The cases of source profiles in one account of a CRM; strongly consistent. */
export interface CaseRows {
  /** Absent ones have none. */
  load(profileIds: readonly string[]): Promise<ReadonlyMap<string, CasesState>>;
  /** Stores the next state, on the condition that nobody has changed the one that was loaded. False where somebody has. */
  save(profileId: string, state: CasesState): Promise<boolean>;
}

export const caseRows = (table: Pick<Table, 'get' | 'put'>, scope: LinkScope): CaseRows => ({
  async load(profileIds) {
    const rows = profileIds.length === 0 ? [] : await table.get(profileIds.map((id) => casesKey(id, scope)));
    return new Map(rows.map((row) => [profileIdOf(row), casesOf(row)]));
  },
  save: (profileId, { version, ...state }) =>
    table.put(
      { ...casesKey(profileId, scope), ...state, version: version + 1 },
      version === 0 ? { absent: true } : { version },
    ),
});
