import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const email = 'email:ada@example.com';
const phone = 'phone:+14155550100';
let hub: TestHub;

beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.stop());

const iso = (minute: number): string => new Date(NOW + minute * 60_000).toISOString();

const give = async (key: string, minute: number, act: Partial<Interaction>): Promise<void> => {
  hub.send(/^Deliveries(?!Dead)/u, {
    type: 'interaction',
    receivedAt: iso(60),
    interaction: {
      ...{ key, provider: 'twilio', kind: 'message', channel: 'sms', direction: 'inbound' },
      ...{ occurredAt: iso(minute), identifiers: [phone], ...act },
    },
  });
  await hub.settle();
};

const idOf = async (identifier: string): Promise<string> =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body.id;
const consentOf = async (identifier: string) =>
  (await hub.api('GET', `/customers/${await idOf(identifier)}/consent`)).body;
const command = async (body: object) => {
  const { status } = await hub.api('POST', '/commands', body);
  await hub.settle();
  return status;
};

describe('the consent of a customer', () => {
  it('is returned with its evidence and its history', async () => {
    await give('1', -30, { text: 'Start', identifiers: [phone, email] });
    await give('2', -20, { text: 'YES' });
    await give('3', -10, {
      kind: 'opt-out',
      provider: 'sendgrid',
      channel: 'email',
      identifiers: [email],
      properties: { scope: 'group-7' },
    });
    await give('4', -5, { kind: 'opt-out', text: ' stop ' });
    await give('5', -25, { text: 'START' });
    const { channels, closed, history } = await consentOf(email);
    expect(channels).toEqual([
      {
        ...{ channel: 'email', status: 'service-only', since: iso(-10), source: expect.any(String) },
        evidence: {
          type: 'interaction',
          kind: 'opt-out',
          provider: 'sendgrid',
          address: email,
          scope: 'group-7',
        },
        addresses: [{ address: email, open: true }],
      },
      {
        ...{ channel: 'sms', status: 'denied', since: iso(-5), source: expect.any(String) },
        evidence: { type: 'interaction', kind: 'opt-out', provider: 'twilio', address: phone, word: 'STOP' },
        addresses: [{ address: phone, open: false }],
      },
    ]);
    expect(closed).toMatchObject([
      { address: phone, reason: 'opt-out', since: iso(-5), evidence: { provider: 'twilio', word: 'STOP' } },
    ]);
    // The YES answered nothing; the START that came late is told, and changed nothing.
    expect(history.map(({ at, answer, from, to }: Record<string, string>) => [at, answer, from, to])).toEqual(
      [
        [iso(-5), 'denied', 'granted', 'denied'],
        [iso(-10), 'no-marketing', 'unknown', 'service-only'],
        [iso(-25), 'granted', 'denied', 'denied'],
        [iso(-30), 'granted', 'unknown', 'granted'],
      ],
    );
  });

  it('is set by a command with its author and reason, at a time in the past, never in the future', async () => {
    await give('1', -30, { text: 'STOP' });
    const paper = { command: 'consent', customer: phone, channel: 'sms', status: 'granted', by: 'grace' };
    expect(await command({ ...paper, evidence: 'Form of the fair, box 4', at: iso(-60) })).toBe(202);
    expect((await consentOf(phone)).channels[0]).toMatchObject({ status: 'denied' });
    expect(await command({ ...paper, evidence: 'Said so on the telephone', at: iso(-10) })).toBe(202);
    const { channels, history } = await consentOf(phone);
    expect(channels[0]).toMatchObject({
      ...{ status: 'granted', since: iso(-10) },
      evidence: { type: 'command', by: 'grace', text: 'Said so on the telephone' },
    });
    expect(history).toHaveLength(3);
    expect(await command({ ...paper, at: iso(60 * 24) })).toBe(400);
    expect(await command({ ...paper, evidence: 'x'.repeat(501) })).toBe(400);
  });

  it('follows its source profile through merge and unmerge, and is erased with the customer', async () => {
    await give('1', -30, { text: 'START' });
    await give('2', -20, { kind: 'opt-in', channel: 'email', provider: 'shopify', identifiers: [email] });
    await command({ command: 'merge', reason: 'the same person', keep: phone, other: email });
    expect((await consentOf(email)).history).toHaveLength(2);
    await command({ command: 'unmerge', customer: phone });
    expect((await consentOf(email)).history).toMatchObject([
      { channel: 'email', evidence: { provider: 'shopify' } },
    ]);
    const id = await idOf(email);
    const kept = async () =>
      (await hub.rows(id)).filter((row) => JSON.stringify(row).includes('consent#')).length;
    expect(await kept()).toBe(1);
    await hub.api('POST', '/erasures', { customer: email });
    await hub.settle();
    expect((await hub.api('GET', `/customers/${id}/consent`)).status).toBe(404);
    expect(await kept()).toBe(0);
  });

  it('shows a closed address, which a command reopens, except after a STOP', async () => {
    const bounce = { kind: 'bounce', channel: 'email', provider: 'ses', direction: 'outbound' } as const;
    await give('0', -31, { channel: 'email', provider: 'ses', identifiers: [email] });
    await give('1', -30, { ...bounce, identifiers: [email] });
    await give('2', -30, { text: 'STOP' });
    const ask = { command: 'reopen', by: 'grace', evidence: 'Wrote to us from it' };
    await command({ ...ask, identifier: email });
    await command({ ...ask, identifier: email });
    await command({ ...ask, identifier: phone });
    expect((await consentOf(email)).closed).toEqual([]);
    expect((await consentOf(phone)).closed).toMatchObject([{ address: phone }]);
    const { items } = (await hub.api('GET', `/customers/${await idOf(email)}/ledger`)).body;
    expect(items).toMatchObject([
      { type: 'reopening', address: email, reason: 'bounce', by: 'grace', evidence: 'Wrote to us from it' },
    ]);
    expect((await hub.failures()).map(({ code }: { code: string }) => code).sort()).toEqual([
      'open-address',
      'owner-stop',
    ]);
  });

  it('of an imported list names the list', async () => {
    const told = { command: 'import', identifiers: [email], consent: { email: 'granted' }, by: 'list.csv' };
    await command({
      ...told,
      evidence: 'list.csv, line 12, signed up at the fair',
      answeredAt: { email: iso(-600) },
    });
    expect((await consentOf(email)).channels[0]).toMatchObject({
      ...{ status: 'granted', since: iso(-600) },
      evidence: { type: 'list', by: 'list.csv', text: 'list.csv, line 12, signed up at the fair' },
    });
  });
});
