import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const Customer = z.looseObject({
  id: z.string(),
  identifiers: z.array(z.string()),
  mergedFrom: z.array(z.string()),
});
const Items = z.object({ items: z.array(z.looseObject({})) });

describe('identity decisions over the API', () => {
  let hub: TestHub;
  beforeEach(async () => {
    hub = await openTestHub();
  });
  afterEach(() => hub.stop());

  let sent = 0;
  const say = (identifiers: readonly string[]): void =>
    hub.cloud.send(
      hub.queueArn(/^DeliveriesQueue/u),
      JSON.stringify({
        type: 'interaction',
        receivedAt: new Date(hub.clock.now()).toISOString(),
        interaction: {
          key: `SM${sent++}`,
          kind: 'message',
          channel: 'sms',
          provider: 'standard',
          direction: 'inbound',
          identifiers,
          text: 'Hi',
          occurredAt: new Date(hub.clock.now()).toISOString(),
        },
      }),
    );
  const settle = async (): Promise<void> => hub.clock.runUntil(hub.clock.now() + 60_000);
  const told = async (...identifiers: string[]): Promise<void> => {
    say(identifiers);
    await settle();
  };
  const command = async (body: object): Promise<void> => {
    expect((await hub.api('POST', '/commands', body)).status).toBe(202);
    await settle();
  };
  const customer = async (identifier: string) =>
    Customer.parse((await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body);
  /** What was said, without what the shipped triggers answer. */
  const timeline = async (identifier: string): Promise<number> => {
    const { id } = await customer(identifier);
    const { items } = Items.parse(
      (await hub.api('GET', `/customers/${id}/timeline?limit=200&fold=false`)).body,
    );
    return items.filter(({ kind }) => kind !== 'notification').length;
  };
  const reviews = async () => Items.parse((await hub.api('GET', '/reviews')).body).items;

  it('creates one customer for fifty simultaneous first contacts', async () => {
    for (let at = 0; at < 50; at++)
      say(['phone:+14155550100', ...(at % 2 === 0 ? ['email:ada@example.com'] : [])]);
    await settle();
    expect(await timeline('phone:+14155550100')).toBe(50);
    expect((await customer('email:ada@example.com')).id).toBe((await customer('phone:+14155550100')).id);
  });

  it('assigns an anonymous event to the customer of the message in the same delivery', async () => {
    const at = new Date(hub.clock.now()).toISOString();
    const read = { kind: 'read', channel: 'sms', direction: 'inbound', refersTo: 'SM1', occurredAt: at };
    const said = { kind: 'message', channel: 'sms', direction: 'inbound', id: 'SM1', occurredAt: at };
    hub.cloud.send(
      hub.queueArn(/^DeliveriesQueue/u),
      JSON.stringify({
        type: 'delivery',
        id: 'd1',
        provider: 'standard',
        receivedAt: at,
        request: {
          method: 'POST',
          url: '',
          headers: {},
          body: Buffer.from(
            JSON.stringify([
              { ...read, id: 'R1', identifiers: ['phone:unknown'] },
              { ...said, identifiers: ['phone:+14155550100'], text: 'Hi' },
            ]),
          ).toString('base64'),
        },
      }),
    );
    await settle();
    expect(await timeline('phone:+14155550100')).toBe(2);
    expect(await reviews()).toEqual([]);
  });

  it('ends in one state when fifty overlapping merges arrive at the same time', async () => {
    for (let at = 0; at < 11; at++) say([`email:p${at}@example.com`]);
    await settle();
    for (let at = 0; at < 50; at++)
      hub.cloud.send(
        hub.queueArn(/^DeliveriesQueue/u),
        JSON.stringify({
          type: 'command',
          command: 'merge',
          reason: 'the same person',
          id: `merge-${at}`,
          at: new Date(hub.clock.now()).toISOString(),
          by: 'ada',
          keep: `email:p${at % 10}@example.com`,
          other: `email:p${(at % 10) + 1}@example.com`,
        }),
      );
    await settle();
    const everyone = await customer('email:p0@example.com');
    expect(everyone.identifiers).toHaveLength(11);
    expect(everyone.mergedFrom).toHaveLength(10);
    for (let at = 0; at < 11; at++) expect((await customer(`email:p${at}@example.com`)).id).toBe(everyone.id);
  });

  it('undoes the merge that the ledger names, and no other of the chain', async () => {
    await told('email:ada@example.com');
    await told('phone:+14155550100');
    await told('line:U1');
    await command({
      command: 'merge',
      reason: 'the same person',
      keep: 'email:ada@example.com',
      other: 'phone:+14155550100',
      by: 'ann',
    });
    await command({
      command: 'merge',
      reason: 'the same person',
      keep: 'email:ada@example.com',
      other: 'line:U1',
    });
    const { id } = await customer('email:ada@example.com');
    const ledger = Items.parse((await hub.api('GET', `/customers/${id}/ledger`)).body).items;
    expect(ledger).toMatchObject([
      { type: 'merge', by: 'ann' },
      { type: 'merge', by: 'api' },
    ]);
    await command({ command: 'unmerge', customer: 'email:ada@example.com', merge: ledger[0]?.['id'] });
    expect((await customer('line:U1')).id).toBe(id);
    expect((await customer('phone:+14155550100')).id).not.toBe(id);
    expect(Items.parse((await hub.api('GET', `/customers/${id}/ledger`)).body).items[0]).toMatchObject({
      undoneBy: 'api',
    });
  });

  it('splits off an identifier: history stays, new messages go to the new customer, and rules do not merge them again', async () => {
    await told('email:ada@example.com', 'phone:+14155550100');
    await command({ command: 'split', identifier: 'phone:+1 415 555 0100' });
    expect((await customer('email:ada@example.com')).identifiers).toEqual(['email:ada@example.com']);
    await told('phone:+14155550100');
    expect(await timeline('phone:+14155550100')).toBe(1);
    expect(await timeline('email:ada@example.com')).toBe(1);
    await told('phone:+14155550100', 'email:ada@example.com');
    expect((await customer('phone:+14155550100')).id).not.toBe((await customer('email:ada@example.com')).id);
    expect(await reviews()).toMatchObject([{ type: 'pair', reason: 'unmerged' }]);
  });

  const at = (): string => new Date(hub.clock.now()).toISOString();
  const outcome = async (id: string) => (await hub.api('GET', `/commands/${id}`)).body;

  it('returns the state of a command: waiting, done with the customer, or refused with the reason', async () => {
    await told('email:ada@example.com');
    await told('phone:+14155550100');
    const merge = {
      command: 'merge',
      reason: 'the same person',
      keep: 'email:ada@example.com',
      other: 'phone:+14155550100',
    };
    await hub.api('POST', '/commands', { ...merge, id: 'm1' });
    expect(await outcome('m1')).toEqual({ id: 'm1', status: 'waiting' });
    await settle();
    const { id } = await customer('email:ada@example.com');
    expect(await outcome('m1')).toEqual({ id: 'm1', status: 'done', customers: [id] });
    await command({ ...merge, id: 'm2' });
    expect(await outcome('m2')).toEqual({ id: 'm2', status: 'done', customers: [] });
    const mistyped = await hub.api('POST', '/commands', { command: 'unmerge', customer: 'line:U1' });
    expect(mistyped).toMatchObject({ status: 404, body: { code: 'unknown-customer' } });
    const split = { command: 'split', identifier: 'user-id:9', customer: 'email:ada@example.com', id: 's1' };
    // As it is executed where things have changed since it was given.
    hub.send(/^DeliveriesQueue/, { ...split, type: 'command', by: 'eve', at: at() });
    await settle();
    expect(await outcome('s1')).toMatchObject({ status: 'refused', code: 'not-claimed' });
  });

  it('returns done for a refused command that a replay completed', async () => {
    await told('email:ada@example.com');
    const merge = {
      command: 'merge',
      reason: 'the same person',
      keep: 'email:ada@example.com',
      other: 'phone:+14155550100',
    };
    // A command that was right when it was given, and is wrong when it is executed.
    hub.send(/^DeliveriesQueue/, {
      ...{ ...merge, type: 'command', id: 'm1', by: 'eve', at: new Date(hub.clock.now()).toISOString() },
    });
    await settle();
    expect(await outcome('m1')).toMatchObject({ status: 'refused' });
    await told('phone:+14155550100');
    const [failure] = Items.parse((await hub.api('GET', '/failures')).body).items;
    await hub.api('POST', `/failures/${String(failure?.['id'])}/replay`);
    await settle();
    expect(await outcome('m1')).toMatchObject({ status: 'done' });
  });

  it('splits off an identifier while a message of it arrives', async () => {
    await told('phone:+14155550100', 'email:ada@example.com');
    const split = { command: 'split', identifier: 'phone:+14155550100' };
    expect((await hub.api('POST', '/commands', split)).status).toBe(202);
    for (let more = 0; more < 3; more++) say(['phone:+14155550100']);
    await settle();
    expect((await customer('phone:+14155550100')).identifiers).toEqual(['phone:+14155550100']);
    expect((await timeline('phone:+14155550100')) + (await timeline('email:ada@example.com'))).toBe(4);
    expect(Items.parse((await hub.api('GET', '/failures')).body).items).toEqual([]);
  });

  it('merges and unmerges in one batch, and the ledger has both', async () => {
    await told('email:ada@example.com');
    await told('phone:+14155550100');
    const merge = {
      command: 'merge',
      reason: 'the same person',
      keep: 'email:ada@example.com',
      other: 'phone:+14155550100',
    };
    const unmerge = { command: 'unmerge', customer: 'email:ada@example.com', id: 'u1' };
    for (const one of [{ ...merge, id: 'm1' }, unmerge])
      hub.send(/^DeliveriesQueue/, { ...one, type: 'command', by: 'api', at: at() });
    await settle();
    expect(await outcome('m1')).toMatchObject({ status: 'done' });
    expect(await outcome('u1')).toMatchObject({ status: 'done' });
    const { id, mergedFrom } = await customer('email:ada@example.com');
    expect(mergedFrom).toEqual([]);
    const { items } = Items.parse((await hub.api('GET', `/customers/${id}/ledger`)).body);
    expect(items).toMatchObject([{ type: 'merge', undoneBy: 'api' }]);
  });

  it.each([
    [{ command: 'split', identifier: 'email:ada@example.com' }, 'last-identifier'],
    [{ command: 'split', identifier: 'user-id:9', customer: 'email:ada@example.com' }, 'not-claimed'],
    [{ command: 'unmerge', customer: 'email:ada@example.com' }, 'unknown-merge'],
    [
      { command: 'confirm', customer: 'email:ada@example.com', identifier: 'email:ada@example.com' },
      'already-owned',
    ],
  ])('answers at once that %j breaks a rule, and leaves no failure', async (given, code) => {
    await told('email:ada@example.com');
    expect(await hub.api('POST', '/commands', given)).toMatchObject({ status: 409, body: { code } });
    await settle();
    expect(Items.parse((await hub.api('GET', '/failures')).body).items).toEqual([]);
  });

  const pair = async (): Promise<string> => {
    await told('user-id:1', 'email:ada@example.com');
    await told('user-id:2', 'phone:+14155550100');
    await told('phone:+14155550100', 'email:ada@example.com');
    return String((await reviews())[0]?.['id']);
  };

  it('merges a pair of the review list', async () => {
    const review = await pair();
    await command({ command: 'resolve', review, decision: 'merge', customer: 'user-id:2' });
    expect(await reviews()).toEqual([]);
    expect((await customer('user-id:1')).id).toBe((await customer('user-id:2')).id);
  });

  it('marks a pair as distinct for good and requests no further review', async () => {
    const review = await pair();
    await command({ command: 'resolve', review, decision: 'distinct' });
    await told('phone:+14155550100', 'email:ada@example.com');
    expect(await reviews()).toEqual([]);
    expect((await customer('user-id:1')).id).not.toBe((await customer('user-id:2')).id);
  });

  it('assigns an anonymous interaction once to the customer that a person chooses', async () => {
    await told('email:ada@example.com');
    await told('user-id:unknown');
    const review = String((await reviews())[0]?.['id']);
    const assign = { command: 'resolve', review, decision: 'assign', customer: 'email:ada@example.com' };
    await command(assign);
    expect(await hub.api('POST', '/commands', assign)).toMatchObject({
      status: 409,
      body: { code: 'decided-review' },
    });
    expect(await hub.api('POST', '/commands', { ...assign, review: 'pair#1#2' })).toMatchObject({
      status: 404,
      body: { code: 'unknown-review' },
    });
    expect(await timeline('email:ada@example.com')).toBe(2);
    expect(await reviews()).toEqual([]);
    expect(Items.parse((await hub.api('GET', '/failures')).body).items).toEqual([]);
  });

  it('dismisses an anonymous interaction', async () => {
    await told('user-id:unknown');
    await command({ command: 'resolve', review: (await reviews())[0]?.['id'], decision: 'dismiss' });
    expect(await reviews()).toEqual([]);
  });
});
