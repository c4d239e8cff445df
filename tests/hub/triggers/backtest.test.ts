import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { BacktestResult } from '../../../core/triggers/backtest/tally.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { addressReader } from '../../../functions/aws/customers/addresses.ts';
import { guests } from '../../../functions/aws/customers/guests.ts';
import { history } from '../../../functions/aws/customers/history.ts';
import { directory } from '../../../functions/aws/customers/lists/directory.ts';
import { placesOfPart } from '../../../functions/aws/customers/lists/lists.ts';
import { config } from '../../../functions/aws/operations/configuration.ts';
import { notifications } from '../../../functions/aws/triggers/notifications.ts';
import { triggers } from '../../../functions/aws/triggers/triggers.ts';
import { backtestJob } from '../../../functions/jobs/backtest/backtest.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { notificationsByKey } from '../../../infra/scenario/outcome.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub, type ScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario, scenarioIn } from '../../../infra/scenario/schema.ts';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { seededRandom } from '../../tools/crash/traffic.ts';

let synthesised: Assembly;
beforeAll(async () => {
  synthesised = await assembly();
});

const folder = new URL('../../scenarios/', import.meta.url).pathname;

const backtest = async ({ runtime, clock }: ScenarioHub, trigger: string): Promise<BacktestResult> => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  let result: unknown;
  const job = backtestJob({
    ...{ triggers: triggers(rows), directory: directory(placesOfPart(rows)), history: history(rows) },
    guests: guests(rows, running.identity),
    addresses: addressReader(rows, running.identity),
    reservations: notifications(rows, running.hub, runtime.now).reservations,
    hub: running.hub,
    async put(_key, bytes) {
      result = JSON.parse(Buffer.from(bytes).toString());
    },
  });
  const parameters = { trigger, days: 366, list: 100 };
  let { checkpoint } = await job.start(parameters);
  for (let finished = false; !finished; )
    ({ checkpoint, finished } = await job.slice({
      ...{ job: 'job', by: 'test', startedAt: instant(clock.now()), parameters },
      ...{ checkpoint, timeLeft: () => false },
    }));
  return BacktestResult.parse(result);
};

/** Runs a scenario live, then plays its triggers over what it has left; what was decided live, and by the backtest. */
const bothWays = async (scenario: Scenario): Promise<{ live: string[]; played: string[] }> => {
  const hub = await openScenarioHub(scenario, folder, { assembly: synthesised });
  try {
    await runSteps(hub, scenario, folder);
    // The last customers are listed a minute later.
    await hub.clock.runUntil(hub.clock.now() + 120_000);
    const before = await scanTable(hub.runtime);
    const owners = await history(table(hub.runtime)).customers(
      [...notificationsByKey(before).values()].map(({ profileId }) => profileId),
    );
    const live = [...notificationsByKey(before).values()].map((one) => {
      const outcome = /suppressed|waiting/u.test(one.status) ? one.status : 'sent';
      const at = one.status === 'waiting' ? one.until : (one.decidedAt ?? one.at);
      const reason = outcome === 'suppressed' ? one.reason : undefined;
      return [one.trigger, owners.get(one.profileId)?.id, one.interaction, at, outcome, one.channel, reason];
    });
    const played: unknown[][] = [];
    for (const trigger of hub.triggerDefinitions.keys()) {
      const { first } = await backtest(hub, trigger);
      for (const { customer, interaction, at, outcome, channel, reason } of first)
        played.push([trigger, customer, interaction, at, outcome, channel, reason]);
    }
    expect(await scanTable(hub.runtime)).toEqual(before);
    return { live: sorted(live), played: sorted(played) };
  } finally {
    await hub.cloud.stop();
    await hub.crms.stop();
  }
};

const sorted = (decisions: readonly (readonly unknown[])[]): string[] =>
  decisions.map((one) => one.map((part) => part ?? '-').join(' ')).sort();

const stories = ['caps', 'none-waiting', 'proof-checkout-with-a-support-address', 'quiet-hours', 'stop'];
it.each([...stories, 'until-property', 'wait-and-cancel'])(
  'decides about the story %s as was decided live, and changes nothing',
  async (name) => {
    const file = `${folder}${name}.yaml`;
    const scenario = parseConfigFile(file, readFileSync(file, 'utf8'), scenarioIn(folder));
    const { live, played } = await bothWays(scenario);
    expect(live.length).toBeGreaterThan(0);
    expect(played).toEqual(live);
  },
);

const START = Date.parse('2026-03-02T00:00:00Z');
const MINUTE = 60_000;

/** A week of five customers and three triggers that compete for one cap. */
const randomScenario = (seed: number): Scenario => {
  const random = seededRandom(seed);
  const pick = (some: readonly string[]): string => some[Math.floor(random() * some.length)] ?? '';
  const customers = [1, 2, 3, 4, 5].map((number) => `phone:+1415555010${number}`);
  let at = START;
  const steps = Array.from({ length: 60 }, () => {
    at += Math.ceil(random() * 90) * MINUTE;
    const kind = pick(['form', 'form', 'behaviour', 'behaviour', 'order', 'message']);
    const identifiers = [pick(customers)];
    const message = {
      channel: 'sms',
      provider: 'twilio',
      direction: 'inbound',
      text: pick(['Hello', 'STOP', 'START']),
    };
    const interaction = { kind, identifiers, ...(kind === 'message' ? message : { channel: 'web' }) };
    return { at: instant(at), interaction };
  });
  const send = { channels: ['sms'], template: 't' };
  const triggers = [
    {
      ...{ id: 'nudge', category: 'marketing', on: { kind: ['form'] }, unless: { kind: ['order'] } },
      ...{ wait: '3h', send: { ...send, holdout: '30%' }, limits: { expires: '8h' } },
    },
    {
      ...{ id: 'viewer', category: 'marketing', on: { kind: ['behaviour'] }, send },
      where: [{ count: { kind: ['behaviour'] }, within: '2d', atLeast: 2 }],
      limits: { perCustomer: '1 per 2d' },
    },
    {
      id: 'answer',
      category: 'service',
      on: { kind: ['form'] },
      send,
      where: [{ conversation: 'none-waiting' }],
    },
  ];
  return Scenario.parse({
    ...{ name: 'random', hub: { caps: { marketing: '2 per 3d' } }, triggers, steps, expect: {} },
    customers: customers.map((one, position) => ({
      ...{ identifiers: [one], consent: { sms: 'granted' } },
      timeZone: position % 2 === 0 ? 'America/New_York' : 'Europe/Rome',
    })),
  });
};

it('decides about a random week as was decided live', async () => {
  const { live, played } = await bothWays(randomScenario(2));
  const reasons = new Set(live.map((one) => one.split(' ').at(-1)));
  expect([...reasons].sort()).toEqual(
    expect.arrayContaining(['-', 'cancelled', 'condition', 'frequency-cap']),
  );
  expect(played).toEqual(live);
});
