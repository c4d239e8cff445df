import { afterEach, beforeEach, expect, it } from 'vitest';
import { figuresTable } from '../../../cli/operations/figures.ts';
import { formatSeconds } from '../../../cli/terminal/duration.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { MINUTE, sendMessage } from './messages.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.stop());

const customer = async (identifier = 'phone:+14155550100') =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;
const command = (body: object) => hub.api('POST', '/commands', body);

it('a conversation has its state, its waiting time and its first response time across channels', async () => {
  sendMessage(hub, { key: 'a', minute: 0 });
  await hub.wait(MINUTE);
  expect((await customer()).conversation).toMatchObject({
    ...{ state: 'waiting', waitingSince: new Date(NOW).toISOString(), channels: ['sms'] },
  });
  sendMessage(hub, { key: 'b', minute: 5, identifier: 'email:ada@example.com', channel: 'email' });
  await hub.wait(MINUTE);
  await command({
    command: 'merge',
    reason: 'the same person',
    keep: 'phone:+14155550100',
    other: 'email:ada@example.com',
  });
  await hub.wait(MINUTE);
  sendMessage(hub, {
    ...{ key: 'c', minute: 10, direction: 'outbound' },
    ...{ identifier: 'email:ada@example.com', channel: 'email' },
  });
  await hub.wait(MINUTE);
  const { conversation } = await customer();
  expect(conversation).toEqual({
    ...{ state: 'answered', channels: ['email', 'sms'], firstResponseSeconds: 600 },
    ...{ startedAt: new Date(NOW).toISOString(), lastAt: new Date(NOW + 10 * MINUTE).toISOString() },
  });
  const { total, channels } = (await hub.api('GET', '/figures')).body;
  expect(total).toMatchObject({ inbound: 2, outbound: 1, response: { count: 1, averageSeconds: 600 } });
  expect(channels.email.firstResponse).toMatchObject({ count: 1, averageSeconds: 600 });
});

it('a closed conversation is reopened by the next message', async () => {
  sendMessage(hub, { key: 'a', minute: 0 });
  await hub.wait(MINUTE);
  await hub.clock.runUntil(NOW + 10 * MINUTE);
  await command({ command: 'close', customer: 'phone:+14155550100', by: 'ada' });
  await hub.wait(MINUTE);
  expect((await customer()).conversation).toMatchObject({ state: 'resolved' });
  sendMessage(hub, { key: 'b', minute: 30 });
  await hub.clock.runUntil(NOW + 31 * MINUTE);
  expect((await customer()).conversation).toMatchObject({
    ...{ state: 'waiting', waitingSince: new Date(NOW + 30 * MINUTE).toISOString() },
  });
});

it('a redelivery is counted once, also hours later', async () => {
  for (const _ of [1, 2]) sendMessage(hub, { key: 'a', minute: 0 });
  await hub.wait(MINUTE);
  await hub.clock.runUntil(NOW + 2 * 3_600_000);
  sendMessage(hub, { key: 'a', minute: 0 });
  await hub.wait(MINUTE);
  const { body } = await hub.api('GET', '/figures?from=2026-03-01&to=2026-03-31');
  expect(body.items).toMatchObject([{ day: '2026-03-02', channel: 'sms', inbound: 1 }]);
});

it('figures are requested by days in the time zone of the hub, at most a year', async () => {
  for (const query of ['?from=2026-03-03&to=2026-03-02', '?from=2025-01-01&to=2026-03-02', '?days=0', '?x=1'])
    expect([query, (await hub.api('GET', `/figures${query}`)).status]).toEqual([query, 400]);
  expect((await hub.api('GET', '/figures?days=2')).body).toMatchObject({
    ...{ from: '2026-03-01', to: '2026-03-02', timeZone: 'Europe/Rome', items: [] },
  });
});

it('figures are printed as a table', async () => {
  sendMessage(hub, { key: 'a', minute: 0 });
  sendMessage(hub, { key: 'b', minute: 3, direction: 'outbound' });
  await hub.wait(MINUTE);
  const lines = figuresTable((await hub.api('GET', '/figures')).body, true);
  expect(lines[0]).toBe('From 2026-02-24 to 2026-03-02, Europe/Rome. Response times are medians.');
  expect(lines[3]).toMatch(/^2026-03-02 {2}sms +1 +1 +0 +1 +0 +0 +0 +0 +0\.0 % +3 min +3 min$/u);
  expect(lines.at(-1)).toMatch(/^total/u);
  expect(new Set(lines.slice(2).map(({ length }) => length)).size).toBe(1);
});

it.each([
  [undefined, '–'],
  [0, '0 s'],
  [59, '59 s'],
  [90, '1.5 min'],
  [3600, '1 h'],
  [100_000, '1.2 d'],
])('formats %s seconds as %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});
