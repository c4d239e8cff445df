import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandMessage, InteractionMessage } from '../../../functions/contracts/messages/record.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.stop());

type Row = Partial<Extract<CommandMessage, { command: 'import' }>>;
let line = 1;
const at = new Date(NOW).toISOString();
const listed = (row: Row) => ({
  ...{ type: 'command', command: 'import', id: `import:job:${++line}`, at, by: 'ada', identifiers: [] },
  ...row,
});
const send = async (...rows: object[]): Promise<void> => {
  hub.send(/^ImportsQueue/, { type: 'import', job: 'job', line: line + 1, rows });
  await hub.settle();
};
const customer = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;

describe('a customer of a list', () => {
  it('is created once from repeated rows, and each row of a message is processed by itself', async () => {
    const rows = [
      listed({ identifiers: ['email:Ada@example.com'], profile: { name: { full: 'Ada' } } }),
      listed({ identifiers: ['phone:+1 415 555 0100'], profile: { tags: ['vip'] } }),
    ];
    await send(...rows);
    await send(...rows);
    expect(await customer('email:ada@example.com')).toMatchObject({ name: { full: 'Ada' } });
    expect(await customer('phone:+14155550100')).toMatchObject({ tags: ['vip'] });
    expect((await hub.failures()).length).toBe(0);
  });

  it('that exists keeps its values and gets the missing ones', async () => {
    await send(listed({ identifiers: ['user-id:1'], profile: { language: 'it', traits: { tier: 'gold' } } }));
    await send(
      listed({
        identifiers: ['user-id:1', 'email:ada@example.com'],
        profile: { language: 'de', timeZone: 'Europe/Rome', traits: { tier: 'tin', size: 4 }, stage: 'lead' },
      }),
    );
    expect(await customer('email:ada@example.com')).toMatchObject({
      identifiers: ['user-id:1', 'email:ada@example.com'],
      ...{ language: 'it', timeZone: 'Europe/Rome', stage: 'lead', traits: { tier: 'gold', size: 4 } },
    });
  });

  it('merges two customers that it connects, and never two with different strong identifiers', async () => {
    await send(
      listed({ identifiers: ['email:ada@example.com'] }),
      listed({ identifiers: ['phone:+14155550100'] }),
    );
    await send(listed({ identifiers: ['email:ada@example.com', 'phone:+14155550100', 'user-id:1'] }));
    expect((await customer('user-id:1')).mergedFrom.length).toBe(1);
    await send(listed({ identifiers: ['user-id:2'] }));
    await send(listed({ identifiers: ['user-id:2', 'email:ada@example.com'] }));
    expect((await customer('user-id:2')).identifiers).toEqual(['user-id:2']);
    expect((await hub.api('GET', '/reviews')).body.items).toMatchObject([{ type: 'pair', reason: 'strong' }]);
  });

  it('without a usable identifier is a failure of its own; the other rows are imported', async () => {
    await send(
      listed({ identifiers: ['email:unknown'] }),
      listed({ identifiers: ['email:ada@example.com'] }),
    );
    expect(await customer('email:ada@example.com')).toMatchObject({ identifiers: ['email:ada@example.com'] });
    const [failure, ...others] = await hub.failures();
    expect([failure, others]).toMatchObject([{ stage: 'record', code: 'missing-identifier' }, []]);
    const path = `/failures/${failure.id}`;
    const { payload } = (await hub.api('GET', path)).body;
    await hub.api('PUT', `${path}/payload`, { ...payload, identifiers: ['email:bob@example.com'] });
    await hub.api('POST', `${path}/replay`);
    await hub.settle();
    expect(await customer('email:bob@example.com')).toMatchObject({ identifiers: ['email:bob@example.com'] });
  });
});

describe('a consent on a list', () => {
  const before = new Date(NOW - 86_400_000).toISOString();
  const later = new Date(NOW + 1000).toISOString();
  const email = async () => (await customer('email:ada@example.com')).consent.email;
  const tell = (row: Row) => send(listed({ identifiers: ['email:ada@example.com'], ...row }));

  it('is stored with the list as its evidence', async () => {
    await tell({
      consent: { email: 'granted' },
      answeredAt: { email: before },
      evidence: 'list.csv, line 2',
    });
    expect(await email()).toEqual({
      ...{ status: 'granted', at: before, source: `import:job:${line}`, evidence: 'list.csv, line 2' },
    });
  });

  it('never overrides a later one', async () => {
    await tell({ consent: { email: 'denied' }, answeredAt: { email: at } });
    await tell({ consent: { email: 'granted' }, answeredAt: { email: before } });
    expect(await email()).toMatchObject({ status: 'denied' });
    await tell({ consent: { email: 'granted' }, answeredAt: { email: later } });
    expect(await email()).toMatchObject({ status: 'granted' });
  });

  it('without a date can only withdraw consent', async () => {
    await tell({ consent: { email: 'service-only' }, answeredAt: { email: before } });
    await tell({ consent: { email: 'granted' }, undated: ['email'] });
    expect(await email()).toMatchObject({ status: 'service-only' });
    await tell({ consent: { email: 'denied' }, undated: ['email'] });
    expect(await email()).toMatchObject({ status: 'denied' });
  });
});

it('an imported interaction is recorded once, with its own date', async () => {
  const act: InteractionMessage = {
    type: 'interaction',
    receivedAt: at,
    interaction: {
      ...{
        key: 'T1',
        provider: 'import',
        kind: 'message',
        channel: 'email',
        direction: 'inbound',
        text: 'Hi',
      },
      ...{ occurredAt: '2019-05-01T10:00:00Z', identifiers: ['email:ada@example.com'] },
    },
  };
  await send(act, act);
  await send(act);
  const { id } = await customer('email:ada@example.com');
  expect((await hub.api('GET', `/customers/${id}/timeline`)).body.items).toMatchObject([
    { text: 'Hi', occurredAt: '2019-05-01T10:00:00.000Z' },
  ]);
});
