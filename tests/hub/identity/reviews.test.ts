import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run as customerCommand } from '../../../cli/customers/customer.ts';
import { run as reviewCommand } from '../../../cli/customers/review.ts';
import { openTestHub, type TestHub, type TestInteraction } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

let hub: TestHub;
let printed: string[];
beforeEach(async () => {
  hub = await openTestHub({ triggers: [] });
  printed = terminal(async (method, target, body) => {
    // A command is delivered, and an erasure done, before its outcome is read.
    if (target.startsWith('/commands/')) await hub.settle();
    if (method === 'GET' && target.startsWith('/erasures/')) await hub.wait();
    return hub.api(method, target, body);
  });
});
afterEach(() => {
  closeTerminal();
  return hub.stop();
});

const [ADA, BOB, PHONE] = ['email:ada@example.com', 'email:bob@example.org', 'phone:+14155550100'];
const say = async (...interactions: TestInteraction[]): Promise<void> => {
  for (const one of interactions) hub.sendInteraction(one);
  await hub.wait(60_000);
};
const find = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;
const reviews = async (query = '') => (await hub.api('GET', `/reviews${query}`)).body;
const command = async (body: object) => {
  const { body: accepted } = await hub.api('POST', '/commands', body);
  await hub.settle();
  return (await hub.api('GET', `/commands/${accepted.id}`)).body;
};

describe('the review list', () => {
  it('shows a claimed pair side by side, what named them, the guest and why', async () => {
    await say(
      { key: 'M1', identifiers: [ADA], channel: 'email', profile: { name: { full: 'Ada Lovelace' } } },
      { key: 'M2', identifiers: [BOB], channel: 'email' },
    );
    await say({ key: 'F1', identifiers: [ADA, BOB], claimed: [ADA, BOB], kind: 'form', channel: 'form' });
    const { items, next } = await reviews();
    expect(next).toBeUndefined();
    expect(items).toMatchObject([
      {
        type: 'pair',
        reason: 'claimed',
        openedAt: expect.stringContaining('2026-03-02'),
        interaction: { kind: 'form', claimed: [ADA, BOB] },
        guests: [expect.any(String)],
      },
    ]);
    const [{ id, customers, why, next: commands }] = items;
    const named = Object.fromEntries(
      customers.map((one: { identifiers: string[] }) => [one.identifiers[0], one]),
    );
    expect(named).toMatchObject({
      [ADA]: { name: { full: 'Ada Lovelace' }, interactions: 1 },
      [BOB]: { interactions: 1 },
    });
    expect(why).toBe(
      `A form (form by standard) of 2026-03-02 09:01 UTC names both, and nobody vouches for ${ADA} and ${BOB}.`,
    );
    expect(commands).toEqual([`hub review resolve '${id}' merge`, `hub review resolve '${id}' distinct`]);
    expect((await hub.api('GET', `/reviews/${encodeURIComponent(id)}`)).body).toEqual(items[0]);
    expect((await hub.api('GET', '/reviews/none')).status).toBe(404);
  });

  it('comes in pages, each entry once', async () => {
    for (let at = 0; at < 7; at++) hub.sendInteraction({ key: `U${at}`, identifiers: ['phone:unknown'] });
    await hub.wait(60_000);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const { items, next } = await reviews(`?limit=3${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      expect(items.length).toBeLessThanOrEqual(3);
      found.push(...items.map(({ id }: { id: string }) => id));
      cursor = next;
    } while (cursor !== undefined);
    expect([found.length, new Set(found).size]).toEqual([7, 7]);
    await reviewCommand(['list', '--limit', '2']);
    expect(printed.at(-1)).toBe('These are the first 2. See more with --limit.');
    expect((await hub.api('GET', '/reviews?limit=0')).status).toBe(400);
  });
});

describe('a request that a shop passes on', () => {
  const redact = { key: 'R1', kind: 'privacy-erasure', channel: 'web', direction: 'system' } as const;

  it('opens one entry with its date and the command that answers it, and acts by itself for nobody', async () => {
    await say({ key: 'M1', identifiers: [ADA] });
    const request = { ...redact, provider: 'shopify', identifiers: ['shopify:1042', ADA], claimed: [ADA] };
    await say(request);
    await say(request);
    const { items } = await reviews();
    expect(items).toMatchObject([
      { type: 'request', reason: 'erasure-request', dueAt: expect.stringContaining('2026-04-01') },
    ]);
    const [{ id, why, next, customers }] = items;
    expect(why).toContain('Answer by 2026-04-01: shopify passes on that');
    expect(next[0]).toBe(`hub review resolve '${id}' erase ${ADA}`);
    expect(customers.map(({ identifiers }: { identifiers: string[] }) => identifiers)).toContainEqual([ADA]);
    expect((await find(ADA)).identifiers).toEqual([ADA]);
  });

  it('is answered by an erasure of the customer, which closes it', async () => {
    await say({ key: 'M1', identifiers: [ADA] });
    await say({ ...redact, identifiers: [ADA] });
    const [{ id }] = (await reviews()).items;
    const out = join(mkdtempSync(join(tmpdir(), 'receipt-')), 'receipt.json');
    expect(await reviewCommand(['resolve', id, 'erase', '--yes', '--out', out])).toBe(0);
    expect(printed.join('\n')).toContain(`Saved the receipt in ${out}.`);
    expect((await reviews()).items).toEqual([]);
  });

  it('is dismissed, or done', async () => {
    await say({ key: 'M1', identifiers: [ADA] });
    await say(
      { ...redact, identifiers: [ADA] },
      { ...redact, key: 'R2', kind: 'privacy-export', identifiers: [ADA] },
    );
    const { items } = await reviews();
    expect(items.map(({ reason }: { reason: string }) => reason).sort()).toEqual([
      'data-request',
      'erasure-request',
    ]);
    for (const [position, { id }] of items.entries())
      expect(
        await command({ command: 'resolve', review: id, decision: position === 0 ? 'done' : 'dismiss' }),
      ).toMatchObject({ status: 'done' });
    expect((await reviews()).items).toEqual([]);
    expect((await find(ADA)).identifiers).toEqual([ADA]);
  });
});

describe('a merge by hand', () => {
  const two = () =>
    say(
      { key: 'M1', identifiers: [ADA, 'user-id:1'], profile: { name: { full: 'Ada' }, tags: ['vip'] } },
      { key: 'M2', identifiers: [PHONE, 'user-id:2'], text: 'STOP', profile: { language: 'it' } },
    );

  it('is refused without a reason, in a sentence', async () => {
    await two();
    const { status, body } = await hub.api('POST', '/commands', {
      command: 'merge',
      keep: ADA,
      other: PHONE,
    });
    expect([status, body.detail]).toEqual([400, expect.stringContaining('Say why the two are one person')]);
    await expect(customerCommand(['merge', ADA, PHONE])).rejects.toThrow('Say why the two are one person');
  });

  it('shows its result beforehand and writes nothing', async () => {
    await two();
    const before = JSON.stringify(await hub.scan());
    const { status, body } = await hub.api(
      'GET',
      `/merges/preview?keep=${encodeURIComponent(ADA)}&other=${encodeURIComponent(PHONE)}`,
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      merged: {
        fields: {
          name: { value: { full: 'Ada' }, from: 'keep' },
          language: { value: 'it', from: 'other' },
          'tags.vip': { from: 'keep' },
        },
        consent: { sms: { value: 'denied', from: 'other' } },
        closed: [{ value: PHONE, from: 'other' }],
      },
      overrides: ['strong', 'limit'],
      crm: expect.arrayContaining([expect.objectContaining({ of: 'other', effect: 'stays as it is' })]),
    });
    expect(body.merged.identifiers).toHaveLength(4);
    await customerCommand(['merge', ADA, PHONE, '--dry-run']);
    expect(printed.join('\n')).toContain('The merge overrides that their strong identifiers differ');
    expect(JSON.stringify(await hub.scan())).toBe(before);
  });

  it('stands in the ledger with who and why, as does what a proof has merged', async () => {
    await two();
    await customerCommand(['merge', ADA, PHONE, '--reason', 'the same voice', '--by', 'ann']);
    await say({ key: 'M3', identifiers: ['line:U1'] });
    await say({ key: 'M4', identifiers: ['line:U1', ADA], channel: 'email', provider: 'ses' });
    await customerCommand(['ledger', ADA]);
    const text = printed.join('\n');
    expect(text).toContain('ann merged them because “the same voice”');
    expect(text).toContain(
      'a message (email by ses) of 2026-03-02 09:02 UTC, whose sender the receiving provider had authenticated (DMARC or an aligned DKIM signature), names line:U1 and email:ada@example.com together.',
    );
  });
});

it('shows at a confirmed identifier who confirmed it, and marks what a guest did with the guest', async () => {
  await say({ key: 'M1', identifiers: [ADA] });
  await say({ key: 'F1', identifiers: [ADA, PHONE], claimed: [ADA, PHONE], kind: 'form', channel: 'form' });
  const { id, guests } = await find(ADA);
  const { items } = (await hub.api('GET', `/customers/${id}/timeline`)).body;
  expect(items.map((one: { proof?: string; guest?: string }) => [one.proof, one.guest])).toContainEqual([
    'claimed',
    guests[0].id,
  ]);
  await command({ command: 'confirm', customer: ADA, identifier: PHONE, by: 'ann' });
  expect((await find(ADA)).confirmed).toMatchObject([{ identifier: PHONE, by: 'ann' }]);
  const ledger = (await hub.api('GET', `/customers/${id}/ledger`)).body.items;
  expect(ledger[0].why).toContain('because ann confirmed it; until then it was only claimed.');
});
