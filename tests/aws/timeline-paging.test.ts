import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Customer } from '../../core/identity/customer.ts';
import { snapshotCustomer } from '../../core/interaction/customer-snapshot.ts';
import type { Channel, Interaction, Kind } from '../../core/interaction/interaction.ts';
import { targetOf } from '../../core/interaction/relation.ts';
import type { Table } from '../../functions/aws/clients/dynamo.ts';
import { messageStatuses } from '../../functions/aws/customers/message-status.ts';
import { timelines } from '../../functions/aws/customers/timeline.ts';
import { hashedKeysUnder } from '../../functions/aws/erasure/hashed-keys.ts';
import { interactionKey, messageKey } from '../../functions/contracts/keys.ts';
import type {
  StoredInteraction,
  TimelineCursor,
  TimelinePage,
  TimelineQuery,
} from '../../functions/contracts/ports/history.ts';
import { noPause } from '../support/no-pause.ts';
import { openTestTable } from '../support/open-test-table.ts';
import { person } from '../support/triggers/situations.ts';

const loadHashedKeys = async () => hashedKeysUnder('a key of the tests');
const START = Date.parse('2026-03-01T09:00:00Z');
const HALVES = ['ada', 'ada-by-mail', 'ada-on-line'] as const;
type Half = (typeof HALVES)[number];

/** Ada, as far as these halves of hers are one. */
const ada = (...ids: readonly Half[]): Customer => {
  const [root = person()] = ids.map((id) => person({ id }));
  return { ...root, sourceProfiles: ids.flatMap((id) => person({ id }).sourceProfiles) };
};

const everything: TimelineQuery = {
  ...{ order: 'newest', limit: 50, channels: new Set(), kinds: new Set(), folded: true },
};

const stored = (
  id: string,
  profileId: Half,
  minute: number,
  told: Partial<Interaction> = {},
): StoredInteraction => {
  const occurredAt = new Date(START + minute * 60_000).toISOString();
  return {
    ...{ id, kind: 'message', channel: 'sms', provider: 'twilio', direction: 'inbound', occurredAt },
    ...{ identifiers: [], externalId: id, ...told },
    ...{
      profileId,
      receivedAt: occurredAt,
      customer: snapshotCustomer(person({ id: profileId }), profileId, false),
    },
  };
};

/** As `record` leaves them, with what became of messages kept beside them. */
const store = async (table: Table, interactions: readonly StoredInteraction[]): Promise<void> => {
  for (const one of interactions) {
    const address = { profileId: one.profileId, occurredAt: one.occurredAt, id: one.id };
    await table.put({ ...interactionKey(one), ...one });
    if (targetOf(one) === undefined)
      await table.put({ ...messageKey(one.provider, one.externalId ?? ''), address });
  }
  await messageStatuses(
    table,
    noPause,
    async () => 1000,
  )({ interactions, customers: new Map(), notifications: [] });
};

const Act = fc.record({
  profileId: fc.constantFrom(...HALVES),
  minute: fc.nat({ max: 12 }),
  kind: fc.constantFrom<Kind>(
    'message',
    'message',
    'comment',
    'read',
    'delivery-status',
    'reaction',
    'click',
  ),
  channel: fc.constantFrom<Channel>('sms', 'whatsapp'),
  target: fc.nat({ max: 30 }),
});
const Acts = fc.array(Act, { maxLength: 60 }).map((acts) =>
  acts.map(({ profileId, minute, kind, channel, target }, position): StoredInteraction => {
    const isAbout = kind !== 'message' && kind !== 'comment';
    return stored(`i${String(position).padStart(2, '0')}`, profileId, minute, {
      ...{ kind, channel, properties: { status: 'delivered' } },
      ...(isAbout && { refersTo: `i${String(target).padStart(2, '0')}`, externalId: `x${position}` }),
    });
  }),
);
const Asked = fc.record({
  order: fc.constantFrom('newest' as const, 'oldest' as const),
  limit: fc.integer({ min: 1, max: 12 }),
  channels: fc
    .subarray<Channel>(['sms', 'whatsapp'], { minLength: 0, maxLength: 1 })
    .map((all) => new Set(all)),
  kinds: fc
    .constantFrom<readonly Kind[]>([], [], ['message'], ['read', 'comment'])
    .map((all) => new Set(all)),
  folded: fc.boolean(),
});

/** What a plain reading of the rules shows of these halves, in the order of time. */
const expected = (
  all: readonly StoredInteraction[],
  profileIds: readonly string[],
  { channels, kinds, folded }: Pick<TimelineQuery, 'channels' | 'kinds' | 'folded'>,
): string[] => {
  const theirs = all.filter(({ profileId }) => profileIds.includes(profileId));
  const messages = new Set(
    theirs.filter((one) => targetOf(one) === undefined).map(({ externalId }) => externalId),
  );
  return theirs
    .filter(({ channel }) => channels.size === 0 || channels.has(channel))
    .filter((one) => {
      if (kinds.size > 0) return kinds.has(one.kind);
      return !folded || one.kind === 'click' || !messages.has(targetOf(one));
    })
    .sort((one, other) => {
      const [left, right] = [one, other].map(({ occurredAt, id }) => `${occurredAt}#${id}`);
      return (left ?? '') < (right ?? '') ? -1 : 1;
    })
    .map(({ id }) => id);
};

type Reading = (customer: Customer, from: TimelineCursor | undefined) => Promise<TimelinePage>;
/** From a place on, one way, until there is nothing more. */
const pages = async (
  read: (from: TimelineCursor | undefined) => Promise<TimelinePage>,
  way: 'next' | 'previous',
  from?: TimelineCursor,
): Promise<TimelinePage[]> => {
  const found = [await read(from)];
  for (let cursor = found[0]?.[way]; cursor !== undefined; cursor = found.at(-1)?.[way]) {
    if (found.length > 200) throw new Error('There is no end of pages.');
    found.push(await read(cursor));
  }
  return found;
};
const idsOf = (all: readonly TimelinePage[]): string[] =>
  all.flatMap(({ items }) => items.map(({ id }) => id));

describe('paging', () => {
  it('shows every matching interaction once, in order, forwards and backwards', async () => {
    await fc.assert(
      fc.asyncProperty(Acts, Asked, async (acts, asked) => {
        const { rows: table } = await openTestTable();
        await store(table, acts);
        const read = (from: TimelineCursor | undefined): Promise<TimelinePage> =>
          timelines(table, loadHashedKeys).page(ada(...HALVES), { ...asked, ...(from && { from }) });
        const inTime = expected(acts, HALVES, asked);
        const wanted = asked.order === 'oldest' ? inTime : inTime.toReversed();
        const forwards = await pages(read, 'next');
        expect(idsOf(forwards)).toEqual(wanted);
        for (const { items } of forwards) expect(items.length).toBeLessThanOrEqual(asked.limit);
        const last = forwards.at(-1);
        const back = last?.previous === undefined ? [] : await pages(read, 'previous', last.previous);
        expect(idsOf([...back.toReversed(), ...(last ? [last] : [])])).toEqual(wanted);
      }),
      { numRuns: 120 },
    );
  });

  it('shows interactions of a merge behind the cursor once, and all of them on the way back', async () => {
    await fc.assert(
      fc.asyncProperty(Acts, Asked, fc.nat({ max: 4 }), async (acts, asked, before) => {
        const { rows: table } = await openTestTable();
        await store(table, acts);
        const reading: Reading = (customer, from) =>
          timelines(table, loadHashedKeys).page(customer, { ...asked, folded: false, ...(from && { from }) });
        const [alone, whole] = [ada('ada'), ada(...HALVES)];
        const query = { ...asked, folded: false };
        const first: TimelinePage[] = [await reading(alone, undefined)];
        for (let page = 0; page < before && first.at(-1)?.next; page++)
          first.push(await reading(alone, first.at(-1)?.next));
        const on = first.at(-1)?.next;
        const rest = on === undefined ? [] : await pages((from) => reading(whole, from), 'next', on);
        const seen = idsOf([...first, ...rest]);
        expect(new Set(seen).size).toBe(seen.length);
        for (const id of expected(acts, ['ada'], query)) expect(seen).toContain(id);
        const last = rest.at(-1);
        if (last?.previous === undefined) return;
        const back = await pages((from) => reading(whole, from), 'previous', last.previous);
        const inTime = expected(acts, HALVES, query);
        expect(idsOf([...back.toReversed(), last])).toEqual(
          asked.order === 'oldest' ? inTime : inTime.toReversed(),
        );
      }),
      { numRuns: 80 },
    );
  });
});

describe('the cost of a page', () => {
  const open = async (acts: readonly StoredInteraction[]) => {
    const counted = await openTestTable();
    await store(counted.rows, acts);
    const page = async (asked: Partial<TimelineQuery>) => {
      counted.takeSpent();
      const answer = await timelines(counted.rows, loadHashedKeys).page(ada(...HALVES), {
        ...everything,
        ...asked,
      });
      return { ...answer, spent: counted.takeSpent() };
    };
    return page;
  };

  it('is bounded where few interactions match: the page is short and has a cursor', async () => {
    const many = Array.from({ length: 2500 }, (_, at) =>
      stored(`i${String(at).padStart(4, '0')}`, 'ada', at),
    );
    const page = await open([stored('first', 'ada-by-mail', -1, { kind: 'order' }), ...many]);
    const kinds = new Set<Kind>(['order']);
    let [answer, asked] = [await page({ kinds }), 1];
    while (answer.next !== undefined) {
      expect(answer.items).toEqual([]);
      expect(answer.spent.requests).toBeLessThanOrEqual(13);
      answer = await page({ kinds, from: answer.next });
      asked++;
    }
    expect(answer.items.map(({ id }) => id)).toEqual(['first']);
    expect(asked).toBe(3);
  });

  it('is bounded where nearly every interaction is folded into another', async () => {
    const opens = Array.from({ length: 1500 }, (_, at) =>
      stored(`o${String(at).padStart(4, '0')}`, 'ada', at + 1, { kind: 'open', refersTo: 'm' }),
    );
    const page = await open([stored('m', 'ada-by-mail', 0, { direction: 'outbound' }), ...opens]);
    const first = await page({});
    expect(first.items).toEqual([]);
    expect(first.spent.requests).toBeLessThanOrEqual(30);
    const second = first.next && (await page({ from: first.next }));
    expect(second?.items).toMatchObject([{ id: 'm', opens: 40 }]);
  });

  it('is bounded by requests where rows are large', async () => {
    const large = Array.from({ length: 60 }, (_, at) =>
      stored(`i${at}`, 'ada', at, { kind: 'form', text: 'x'.repeat(350_000) }),
    );
    const page = await open(large);
    const { spent, next, items } = await page({ kinds: new Set<Kind>(['order']) });
    expect([items, next !== undefined]).toEqual([[], true]);
    expect(spent.requests).toBeLessThanOrEqual(13);
  });

  it('is the same at every depth', async () => {
    const many = Array.from({ length: 1200 }, (_, at) =>
      stored(`i${String(at).padStart(4, '0')}`, HALVES[at % 3] ?? 'ada', at),
    );
    const page = await open(many);
    const spent: number[] = [];
    for (let next: TimelineCursor | undefined, at = 0; at === 0 || next; at++) {
      const answer = await page(next ? { from: next } : {});
      next = answer.next;
      spent.push(answer.spent.requests);
    }
    expect(spent).toHaveLength(24);
    expect(Math.max(...spent)).toBeLessThanOrEqual(spent[0] ?? 0);
  });
});
