import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { BacktestResult } from '../../../core/triggers/backtest/tally.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { addressReader } from '../../../functions/aws/customers/addresses.ts';
import { directory } from '../../../functions/aws/customers/directory.ts';
import { guests } from '../../../functions/aws/customers/guests.ts';
import { history } from '../../../functions/aws/customers/history.ts';
import { placesOfPart } from '../../../functions/aws/customers/lists.ts';
import { config } from '../../../functions/aws/operations/configuration.ts';
import { notifications } from '../../../functions/aws/triggers/notifications.ts';
import { triggers } from '../../../functions/aws/triggers/triggers.ts';
import { backtestJob } from '../../../functions/jobs/backtest/backtest.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { notificationsByKey } from '../../../infra/scenario/outcome.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub, type ScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { scenarioIn } from '../../../infra/scenario/schema.ts';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';

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

/** Runs a story live, then plays its triggers over what it has left; what was decided live, and by the backtest. */
const bothWays = async (name: string): Promise<{ live: string[]; played: string[] }> => {
  const file = `${folder}${name}.yaml`;
  const scenario = parseConfigFile(file, readFileSync(file, 'utf8'), scenarioIn(folder));
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

it.each(['caps', 'quiet-hours', 'wait-and-cancel'])(
  'decides about the story %s as was decided live, and changes nothing',
  async (name) => {
    const { live, played } = await bothWays(name);
    expect(live.length).toBeGreaterThan(0);
    expect(played).toEqual(live);
  },
);
