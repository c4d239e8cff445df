import { audienceKey, audiencePartition, memberKey, profileIdOf } from '../../contracts/keys.ts';
import type { Audiences } from '../../contracts/ports/audiences.ts';
import { audienceOf } from '../../contracts/rows/triggers.ts';
import type { Table } from '../clients/dynamo.ts';

/** DynamoDB's most writes of a transaction are 100. */
const MEMBERS_PER_WRITE = 100;

/**
 * Membership is a row beside the profile, so that erasing a person removes it. It is written for every source profile, so
 * that it follows the person when a merge is undone.
 */
export const audiences = (table: Table): Audiences => ({
  async all() {
    const found = [];
    for await (const row of table.query(audiencePartition))
      found.push({ trigger: row.sk, ...audienceOf(row) });
    return found;
  },
  async save({ trigger, upTo }) {
    await table.put({ ...audienceKey(trigger), ...(upTo !== undefined && { upTo }) });
  },
  async members(trigger, profileIds) {
    const rows = await table.get(profileIds.map((id) => memberKey(id, trigger)));
    return new Set(rows.map(profileIdOf));
  },
  async enter(trigger, profileIds, since) {
    await Promise.all(profileIds.map((id) => table.put({ ...memberKey(id, trigger), trigger, since })));
  },
  async leave(trigger, profileIds) {
    for (let start = 0; start < profileIds.length; start += MEMBERS_PER_WRITE) {
      const some = profileIds.slice(start, start + MEMBERS_PER_WRITE);
      await table.transact(some.map((id) => ({ delete: memberKey(id, trigger) })));
    }
  },
});
