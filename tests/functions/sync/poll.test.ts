import { beforeEach, expect, it } from 'vitest';
import type { Changes, ChangesSince, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { HubError } from '../../../core/errors.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { ChangeMessage } from '../../../functions/contracts/messages/sync.ts';
import { type PollPorts, pollChanges } from '../../../functions/sync/changes/poll.ts';
import { openTestTable, type TestTable } from '../../support/open-test-table.ts';

const mapping = compileMapping('till', {
  contact: { object: 'people', key: 'hub', fields: { name: { from: 'displayName' } } },
  changes: { tickets: ['state'] },
});

let opened: TestTable;
/** What the CRM was asked, by object. */
let asked: [object: string, since: ChangesSince][];
let queued: ChangeMessage['change'][];
let answer: (object: string, since: ChangesSince) => Partial<Changes>;
let queueAccepts: boolean;
let waits: number | undefined;
let pauses: unknown[];
beforeEach(async () => {
  opened = await openTestTable();
  [asked, queued, queueAccepts, waits, pauses] = [[], [], true, undefined, []];
  answer = () => ({});
});

const record = (id: string): Changes['records'][number] => ({
  ...{ id, fields: { name: 'Ada' }, emails: [], phones: [], byStaff: true },
  ...{ createdAt: '2026-03-02T08:00:00.000Z', modifiedAt: '2026-03-02T08:59:00.000Z' },
});

const poll = (more: Partial<PollPorts> = {}): Promise<void> => {
  const session: Pick<CrmSession, 'changes'> = {
    async changes(object, since) {
      asked.push([object, since]);
      return {
        records: [],
        deleted: [],
        next: since.cursor ?? 'start',
        hasMore: false,
        ...answer(object, since),
      };
    },
  };
  return pollChanges({
    table: opened.rows,
    secondsUntilOpen: async () => waits,
    async pauseAfter(error) {
      pauses.push(error);
      return error instanceof CrmFault ? 60 : undefined;
    },
    hasTime: () => true,
    ...more,
    sync: {
      ...{ crm: 'till', scope: 'till', now: () => opened.clock.now() },
      call: { signal: AbortSignal.timeout(1000), spend: async () => {}, sleep: async () => {} },
      open: async () => session,
      mapping: async () => mapping,
      identity: async () => IdentityConfig.parse({}),
      history: { customers: async () => new Map() },
      links: { owners: async () => new Map(), load: async () => new Map() },
      async queueAgain(messages) {
        if (!queueAccepts) throw new HubError('enqueue-failure', 'No.', { retry: 'later' });
        for (const message of messages) if ('change' in message) queued.push(message.change);
      },
    },
  });
};

it('asks first for the last ten minutes, then goes on from where it stood, object by object', async () => {
  answer = (object) => ({ next: `${object} 1` });
  await poll();
  const now = opened.clock.now();
  const [from, until] = [new Date(now - 600_000).toISOString(), new Date(now - 10_000).toISOString()];
  expect(asked).toEqual([
    ['people', { fields: ['name'], from, until }],
    ['tickets', { fields: ['state'], from, until }],
  ]);
  asked = [];
  await opened.clock.runUntil(now + 300_000);
  await poll();
  expect(asked.map(([, since]) => since.cursor)).toEqual(['people 1', 'tickets 1']);
  expect(asked[0]?.[1]).toMatchObject({ from, until: new Date(now + 290_000).toISOString() });
});

it('goes on only when the queue has accepted what it found: nothing is lost, and nothing holds a value', async () => {
  answer = (object, { cursor }) =>
    object === 'people' && cursor === undefined ? { records: [record('7')], next: 'after 7' } : {};
  queueAccepts = false;
  // It has never worked, so nobody is told.
  await poll();
  expect([queued, pauses]).toEqual([[], []]);
  queueAccepts = true;
  await poll();
  await poll();
  const at = '2026-03-02T08:59:00.000Z';
  expect(queued).toEqual([{ object: 'people', id: '7', act: 'changed', at, fields: {}, merged: [] }]);
  expect(asked.filter(([object]) => object === 'people').map(([, { cursor }]) => cursor)).toEqual([
    ...[undefined, undefined, 'after 7'],
  ]);
});

it('reads all that has changed, as long as there is time', async () => {
  answer = (object, { cursor = '0' }) => ({ next: String(Number(cursor) + 1), hasMore: object === 'people' });
  let left = 3;
  await poll({ hasTime: () => left-- > 0 });
  expect(asked.map(([object, { cursor }]) => [object, cursor])).toEqual([
    ...[
      ['people', undefined],
      ['people', '1'],
      ['people', '2'],
      ['people', '3'],
    ],
    ['tickets', undefined],
  ]);
  asked = [];
  await poll({ hasTime: () => false });
  expect(asked[0]?.[1].cursor).toBe('4');
});

it('two workers that poll at once: the later one stores nothing', async () => {
  await poll();
  answer = (object, { cursor }) => (object === 'people' ? { next: `${cursor}+` } : {});
  const slow = poll({
    table: {
      ...opened.rows,
      async put(row, condition) {
        await poll();
        return opened.rows.put(row, condition);
      },
    },
  });
  await slow;
  asked = [];
  answer = () => ({});
  await poll();
  expect(asked[0]?.[1].cursor).toBe('start+');
});

it('asks nothing of a CRM that is paused, and stops where a fault pauses it', async () => {
  waits = 60;
  await poll();
  expect(asked).toEqual([]);
  waits = undefined;
  await poll();
  asked = [];
  const down = new CrmFault('unavailable-crm', 'Down.', { scope: 'connection', why: 'down' });
  answer = () => {
    waits = 30;
    throw down;
  };
  await poll();
  expect([pauses, asked.length]).toEqual([[down], 1]);
});

it('an object that cannot be read leaves the others alone; an unknown error is retried by the queue', async () => {
  await poll();
  [asked, pauses] = [[], []];
  const forbidden = new CrmFault('servicenow-forbidden', 'No.', {
    scope: 'object',
    why: 'setup',
    object: 'people',
  });
  answer = (object) => {
    if (object === 'people') throw forbidden;
    return {};
  };
  await poll();
  expect([pauses, asked.map(([object]) => object)]).toEqual([[forbidden], ['people', 'tickets']]);
  answer = () => {
    throw new TypeError('a mistake');
  };
  await expect(poll()).rejects.toThrow('a mistake');
});
