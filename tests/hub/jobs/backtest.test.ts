import { afterEach, expect, it, vi } from 'vitest';
import { run as command } from '../../../cli/triggers/trigger.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

let hub: TestHub;
afterEach(() => {
  closeTerminal();
  return hub.stop();
});

const DAY = 86_400_000;
const greet = {
  ...{ id: 'greet', category: 'service', on: { kind: ['form'] }, limits: { perCustomer: '1 per 7d' } },
  send: { channels: ['sms'], template: 't' },
};
const ADA = 'phone:+393331110000';

/** Two forms of Ada at noon of two days, and one of Bea; the trigger was published when the last had arrived. */
const open = async (): Promise<void> => {
  hub = await openTestHub({ triggers: [{ ...greet, id: 'other', on: { kind: ['order'] } }] });
  for (const [position, identifier] of [ADA, 'phone:+393331110001', ADA].entries()) {
    const at = NOW + 3 * 3_600_000 + (position === 2 ? DAY : 0);
    await hub.clock.runUntil(at);
    const profile = { name: { full: `P${position}` } };
    hub.sendInteraction({ key: `k${position}`, kind: 'form', identifiers: [identifier], profile });
  }
  await hub.wait(3_600_000);
};

const given = (trigger: object) => ({
  ...{ file: 'greet.yaml', text: JSON.stringify(trigger) },
  templates: { t: { 'sms.liquid': 'Hello' } },
});

const play = async (parameters: object) => {
  const { status, body } = await hub.api('POST', '/jobs', { kind: 'backtest', parameters });
  if (status !== 202) return body;
  await hub.wait(60_000);
  const job = (await hub.api('GET', `/jobs/${body.id}`)).body;
  const file = job.result && (await hub.runtime.aws?.fetch(new Request(job.result.url)));
  return { ...job, told: await file?.json() };
};

it('a backtest of a file says what it would have sent, and changes nothing but its job', async () => {
  await open();
  const before = await hub.scan();
  const { state, progress, told } = await play({ trigger: given(greet), days: 7, list: 2 });
  expect(state).toBe('succeeded');
  expect(progress.counts).toEqual({ customers: 2, matched: 3, sent: 2, people: 2 });
  expect(told).toMatchObject({
    ...{ trigger: 'greet', timeZone: 'Europe/Rome', sent: 2, people: 2, deferred: 0, waiting: 0 },
    ...{ suppressed: { 'frequency-cap': 1 }, channels: { sms: 2 } },
    days: { '2026-03-02': { sent: 2, suppressed: 0 }, '2026-03-03': { sent: 0, suppressed: 1 } },
    first: [{ outcome: 'sent', at: '2026-03-02T12:00:00.000Z' }, { outcome: 'sent' }],
  });
  expect(hub.cloud.sentMessages.list()).toEqual([]);
  const others = (await hub.scan()).filter(({ pk }) => !/^(?:job|list#jobs)/u.test(pk));
  expect(others).toEqual(before);
});

it('what cannot be played is refused before the job or by it', async () => {
  await open();
  expect(await play({ trigger: given({ ...greet, category: 'loud' }) })).toMatchObject({
    ...{ code: 'invalid-trigger', faults: [{ file: 'greet.yaml', key: 'category' }] },
  });
  expect(await play({ trigger: given({ ...greet, send: { ...greet.send, template: 'x' } }) })).toMatchObject({
    detail: expect.stringContaining('names the template x'),
  });
  expect(await play({ trigger: 'greet' })).toMatchObject({ error: { code: 'unknown-trigger' } });
  const { send, limits, ...start } = greet;
  expect(await play({ trigger: given({ ...start, steps: [{ send }] }) })).toMatchObject({
    error: { code: 'unplayable-trigger', reason: expect.stringContaining('`steps`') },
  });
});

it('is shown at the command line with a bar for each day', async () => {
  await open();
  vi.stubGlobal('fetch', (url: string) => hub.runtime.aws?.fetch(new Request(url)));
  const printed = terminal(async (method, target, body) => {
    if (target.startsWith('/jobs/')) await hub.settle();
    return hub.api(method, target, body);
  });
  vi.stubEnv('HUB_MAPPINGS', new URL('../../fixtures/backtest/', import.meta.url).pathname);
  expect(await command(['backtest', 'greet.yaml', '--days', '7', '--list', '1'])).toBe(0);
  expect(printed.join('\n')).toMatchInlineSnapshot(`
    "greet from 2026-02-24 13:00:00 UTC to 2026-03-03 13:00:00 UTC: it would have sent 2 messages to 2 customers.
    3 interactions of 2 customers set it off, of 2 customers that were looked at.
    Held back, frequency-cap: 1
    By sms: 2

    Days in Europe/Rome:
                  sent  held back
    2026-03-02       2          0  ████████████████████████████████████████
    2026-03-03       0          1

    The first 1:
    2026-03-02 12:00:00 UTC  P0  Sent by sms.

    What the history cannot say:
    - Who is one person, which identifiers they have, and hub.yaml are as they are now. Whoever was erased is not counted.
    - An address that a bounce or a complaint had closed and that is open now counts as open. What the other owners of an address have answered, and of an address that somebody only claimed all but the last answer, is as it is now.
    - Of a person who was merged from several records the last answer about consent counts; of a STOP that arrived after a START that was given later, the STOP.
    - It is played as if the trigger had been published and never paused on these days. That a sender refuses a message, and messages that wait since before these days, are not played."
  `);
  printed.length = 0;
  expect(await command(['backtest', 'other', '--json'])).toBe(0);
  expect(JSON.parse(printed.join('\n'))).toMatchObject({ trigger: 'other', matched: 0 });
  await expect(command(['backtest', 'other', '--days', 'many'])).rejects.toThrow(/--days takes a whole/u);
});
