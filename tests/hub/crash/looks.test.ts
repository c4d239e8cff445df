import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { type Call, endingFunctions, hasEffect, type ProcessEnd } from './run.ts';

/** Two triggers look at three persons, one of whom enters only on the second day. */
const scenario = Scenario.parse(
  parse(`
name: looks
hub: { crms: {}, caps: {} }
triggers:
  - { id: hello, category: service, each: { day: "10:00" }, where: [{ customer: { tags: [vip] } }], send: { channels: [sms], template: t } }
  - { id: offer, category: marketing, each: { once: 2026-03-02T10:00 }, send: { channels: [sms], template: t } }
customers:
  - { identifiers: ["phone:+393331110001"], tags: [vip], consent: { sms: granted } }
  - { identifiers: ["phone:+393331110002"], tags: [vip], timeZone: Europe/Berlin, consent: { sms: granted } }
  - { identifiers: ["phone:+393331110003"], consent: { sms: granted } }
steps:
  - { at: 2026-03-02T08:00:00Z, advance: 4h }
  - { interaction: { kind: contact-update, channel: crm, identifiers: ["phone:+393331110003"], profile: { tags: [vip] } } }
  - { advance: 30h }
expect: {}
`),
);
const PERSONS = 3;

/** Processes of each function that end in one run, far apart; with CRASH=calls one. */
const ENDS_PER_RUN = process.env['CRASH'] === 'calls' ? 1 : 4;

/** How often each message was sent, by trigger and number, and the calls of all functions. */
const runWithEnds = async (ends: readonly ProcessEnd[]) => {
  const calls: Call[] = [];
  const hub = await openScenarioHub(scenario, '.', {
    ...{ assembly: await assembly(), functions: endingFunctions(ends, calls) },
  });
  try {
    await runSteps(hub, scenario, '.');
    const sent: Record<string, number> = {};
    for (const { tags, to } of hub.cloud.sentMessages.list()) {
      const key = `${(tags?.['notification'] ?? '').split(/[._]/u)[0]} ${to}`;
      sent[key] = (sent[key] ?? 0) + 1;
    }
    return { calls, sent };
  } finally {
    await hub.cloud.stop();
    await hub.crms.stop();
  }
};

it('sends no marketing twice and loses no service message when a process ends in a look', async () => {
  const undisturbed = await runWithEnds([]);
  expect(Object.values(undisturbed.sent)).toEqual(Array(2 * PERSONS).fill(1));
  const calls = undisturbed.calls.filter(
    (call) => hasEffect(call) && /Jobs|Decide|Notify/u.test(call.caller),
  );
  // Every function counts its own calls, so one run ends a process of each.
  const byCaller = Object.values(Object.groupBy(calls, ({ caller }) => caller)).map((some = []) => some);
  const runs = Math.ceil(Math.max(...byCaller.map(({ length }) => length)) / ENDS_PER_RUN);
  const wrong: string[] = [];
  for (const when of ['before', 'after'] as const)
    for (let run = 0; run < runs; run++) {
      const ends = byCaller
        .flatMap((some) => some.filter((_, at) => at % runs === run))
        .map((call) => ({ ...call, when }));
      const { sent } = await runWithEnds(ends);
      const where = ends.map(({ caller, number, operation }) => `${when} ${caller} ${number} ${operation}`);
      const services = Object.keys(sent).filter((key) => key.startsWith('hello'));
      if (services.length !== PERSONS) wrong.push(`${services.length} service messages, ${where}`);
      for (const [key, count] of Object.entries(sent))
        if (key.startsWith('offer') && count > 1) wrong.push(`${key} ${count} times, ${where}`);
    }
  expect(runs).toBeGreaterThan(5);
  expect(wrong).toEqual([]);
}, 600_000);
