import { beforeEach, describe, expect, it } from 'vitest';
import type { Customer } from '../../core/identity/customer.ts';
import { snapshotCustomer } from '../../core/interaction/customer-snapshot.ts';
import { history } from '../../functions/aws/customers/history.ts';
import { timelines } from '../../functions/aws/customers/timeline.ts';
import { hashedKeysUnder } from '../../functions/aws/erasure/hashed-keys.ts';
import { interactionKey } from '../../functions/contracts/keys.ts';
import type { StoredInteraction, TimelineCursor } from '../../functions/contracts/ports/history.ts';
import { openTestTable, type TestTable } from '../support/open-test-table.ts';
import { person } from '../support/triggers/situations.ts';

const START = Date.parse('2026-03-01T09:00:00Z');
const timeOf = (minute: number): string => new Date(START + minute * 60_000).toISOString();

/** The minutes of the interactions of each source profile: they end at different times, and one has none. */
const minutes: Readonly<Record<string, readonly number[]>> = {
  survivor: [1],
  first: [0, 2, 5, 8, 9],
  second: [],
  third: [3, 4, 6, 7],
};
const profileIds = Object.keys(minutes);
const [canonical = person()] = profileIds.map((id) => person({ id }));
const customer: Customer = {
  ...canonical,
  sourceProfiles: profileIds.flatMap((id) => person({ id }).sourceProfiles),
};
const everyMinute = Object.values(minutes)
  .flat()
  .toSorted((one, other) => one - other);

let table: TestTable;
beforeEach(async () => {
  table = await openTestTable();
  for (const [profileId, own] of Object.entries(minutes))
    for (const minute of own) {
      const interaction: StoredInteraction = {
        ...{ id: `at-${minute}`, kind: 'message', channel: 'sms', provider: 'twilio', direction: 'inbound' },
        ...{ occurredAt: timeOf(minute), identifiers: [], text: String(minute) },
        ...{
          profileId,
          receivedAt: timeOf(minute),
          customer: snapshotCustomer(person({ id: profileId }), profileId, false),
        },
      };
      await table.rows.put({ ...interactionKey(interaction), ...interaction });
    }
});

const read = async (bounds: { after?: string; upTo?: string } = {}): Promise<number[]> => {
  const found: number[] = [];
  for await (const { text } of history(table.rows).timeline(customer, bounds)) found.push(Number(text));
  return found;
};

describe('the timeline of four merged source profiles', () => {
  it('is whole and in order, whichever of them ends first', async () => {
    expect(await read()).toEqual(everyMinute);
  });

  it('keeps to its bounds, the first one exclusive and the last one inclusive', async () => {
    expect(await read({ after: timeOf(2), upTo: timeOf(7) })).toEqual([3, 4, 5, 6, 7]);
    expect(await read({ after: timeOf(9) })).toEqual([]);
  });

  it.each(['newest', 'oldest'] as const)('is whole page by page, %s first', async (order) => {
    const pages = timelines(table.rows, async () => hashedKeysUnder('a key of the tests'));
    const found: number[] = [];
    let from: TimelineCursor | undefined;
    do {
      const page = await pages.page(customer, {
        ...{ order, limit: 3, channels: new Set(), kinds: new Set(), folded: true },
        ...(from && { from }),
      });
      found.push(...page.items.map(({ text }) => Number(text)));
      from = page.next;
    } while (from);
    expect(found).toEqual(order === 'oldest' ? everyMinute : everyMinute.toReversed());
  });
});
