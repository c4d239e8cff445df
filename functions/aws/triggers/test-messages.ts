import { testMessageKey } from '../../contracts/keys.ts';
import type { TestMessage } from '../../contracts/messages/test-message.ts';
import { type TestMessageRow, testMessageOf } from '../../contracts/rows/triggers.ts';
import type { Table } from '../clients/dynamo.ts';

/** Test messages wait for their sender in rows of the customer on whom they were tried: an erasure removes them too. */
export interface TestMessages {
  save(address: TestMessage, message: TestMessageRow): Promise<void>;
  /** Undefined where it has expired. */
  get(address: TestMessage): Promise<TestMessageRow | undefined>;
}

const KEPT_MS = 86_400_000;

export const testMessages = (table: Table, now: () => number): TestMessages => ({
  async save({ profileId, test }, message) {
    const expiresAt = Math.floor((now() + KEPT_MS) / 1000);
    await table.put({ ...testMessageKey(profileId, test), ...message, expiresAt });
  },
  async get({ profileId, test }) {
    const [row] = await table.get([testMessageKey(profileId, test)]);
    return row && testMessageOf(row);
  },
});
