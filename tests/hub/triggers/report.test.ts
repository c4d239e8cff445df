import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { run as triggerCommand } from '../../../cli/triggers/trigger.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

// What a trigger achieved: twenty people, a holdout, a goal, reports about messages; each event delivered more than once.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const form = { kind: ['form'] };
const triggers = [
  {
    ...{ id: 'offer', category: 'transactional', on: form, goal: { on: { kind: ['order'] }, within: '1d' } },
    send: {
      ...{ channels: ['sms'], template: 'offer', holdout: '40%' },
      variants: [{ template: 'offer-b', share: '50%' }],
    },
  },
  {
    ...{ id: 'later', category: 'transactional', on: form, wait: '2d' },
    send: { channels: ['sms'], template: 'offer' },
  },
];

let hub: TestHub;
let printed: string[];
const report = async (id: string) => (await hub.api('GET', `/triggers/${id}/report?days=7`)).body;
const phone = (position: number): string => `phone:+14155550${String(100 + position)}`;
const PEOPLE = 20;

beforeAll(async () => {
  let turn = 0;
  hub = await openTestHub({
    ...{ triggers, connectCrms: false },
    random: () => (turn++ % 10) / 10,
    chaos: { duplicate: 0.4, reorder: true, conflict: 0.1 },
  });
  for (let at = 0; at < PEOPLE; at++)
    hub.sendInteraction({ key: `F${at}`, kind: 'form', channel: 'form', identifiers: [phone(at)] });
  await hub.wait(10 * MINUTE);
});
afterAll(() => hub.stop());
beforeEach(() => {
  printed = terminal(hub.api);
});
afterEach(closeTerminal);

it('counts what was sent, by variant, and what was withheld', async () => {
  const { matched, sent, suppressed, variants } = await report('offer');
  expect(matched).toBe(PEOPLE);
  expect(suppressed).toEqual({ holdout: PEOPLE - sent });
  expect(sent).toBeGreaterThan(5);
  expect(sent).toBeLessThan(PEOPLE);
  const rows = (await hub.scan()).filter(({ sk }) => sk.startsWith('notification#offer#'));
  for (const { template, sent: own } of variants)
    expect(own).toBe(rows.filter((row) => row['status'] === 'sent' && row['template'] === template).length);
});

it('counts each message once as delivered, opened and clicked, whatever is reported again', async () => {
  const messages = (await hub.scan()).filter(
    ({ sk, ...row }) => sk.startsWith('at#') && row['kind'] === 'notification',
  );
  const about = messages.slice(0, 3).map((row) => [row['provider'], row['externalId']] as const);
  const reports = [
    { kind: 'delivery-status', properties: { status: 'delivered' } },
    { kind: 'open' },
    { kind: 'open' },
    { kind: 'click' },
  ] as const;
  for (const [position, one] of reports.entries())
    for (const [at, [provider, refersTo]] of about
      .slice(0, position === 3 ? 1 : position === 0 ? 3 : 2)
      .entries())
      hub.sendInteraction({
        ...{ key: `R${position}-${at}`, channel: 'sms', direction: 'system', identifiers: [], ...one },
        ...{ provider: String(provider), refersTo: String(refersTo), externalId: `R${position}-${at}` },
      });
  await hub.wait(10 * MINUTE);
  expect(await report('offer')).toMatchObject({ delivered: 3, opened: 2, clicked: 1 });
});

it('says how many wait, and that they ended as paused', async () => {
  expect(await report('later')).toMatchObject({ waiting: PEOPLE, matched: 0 });
  await triggerCommand(['pause', 'later']);
  expect(printed.join('\n')).toMatch(/^20 that wait will not be sent/mu);
});

it('compares the goal with the holdout once its window is over', async () => {
  for (let at = 0; at < 8; at++)
    hub.sendInteraction({ key: `O${at}`, kind: 'order', channel: 'web', identifiers: [phone(at)] });
  await hub.wait(2 * DAY + 30 * MINUTE);
  const { goal, sent } = await report('offer');
  expect(goal.sent.checked).toBe(sent);
  expect(goal.holdout.checked).toBe(PEOPLE - sent);
  expect(goal.sent.reached + goal.holdout.reached).toBe(8);
  expect(await report('later')).toMatchObject({ waiting: 0, suppressed: { paused: PEOPLE } });
  await triggerCommand(['report', 'offer', '--days', '7']);
  expect(printed.join('\n')).toMatch(
    /^Difference: [+-]?\d+\.\d points \(95 %: .*\), which may be chance\.$/mu,
  );
  expect(printed).toContain(`Suppressed, holdout: ${PEOPLE - sent}`);
});
