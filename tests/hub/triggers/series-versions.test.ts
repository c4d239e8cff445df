import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { pause, publish } from '../../../functions/aws/triggers/publish.ts';
import { compareOutcome } from '../../../infra/scenario/compare.ts';
import { readOutcome } from '../../../infra/scenario/outcome.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';

// Who has started a series stays on its version, whatever is published, paused or rolled back meanwhile.

let synthesised: Assembly;
beforeAll(async () => {
  synthesised = await assembly();
});

const first = parse(`
id: series
category: service
on: { kind: [form] }
steps:
  - { id: hello, send: { channels: [email], template: t } }
  - { id: thanks, await: { kind: [click], properties: { link: [first] } }, within: 3d, send: { channels: [email], template: t } }
  - { id: last, wait: 1d, send: { channels: [email], template: t } }
`);
const second = parse(`
id: series
category: service
on: { kind: [form] }
steps:
  - { id: hi, send: { channels: [email], template: t } }
  - { id: nice, await: { kind: [click], properties: { link: [second] } }, within: 3d, send: { channels: [email], template: t } }
`);
const { steps: _, ...rest } = second;
const single = { ...rest, send: { channels: ['email'], template: 't' } };

interface Change {
  readonly at: string;
  /** What is published; a pause without. */
  readonly publish?: object;
}

/** Tells a story in which versions are published and paused meanwhile. Resolves to the differences from what is expected. */
const tell = async (changes: readonly Change[], story: string): Promise<string[]> => {
  const scenario = Scenario.parse({ name: 'a story', triggers: [first], ...parse(story) });
  const hub = await openScenarioHub(scenario, '.', { assembly: synthesised });
  try {
    for (const { at, publish: definition } of changes)
      hub.clock.at(Date.parse(at), async () => {
        if (definition) await publish(hub.publishPorts, definition, hub.templates);
        else await pause(hub.publishPorts, 'series');
      });
    await runSteps(hub, scenario, '.');
    return compareOutcome(scenario.expect, await readOutcome(hub));
  } finally {
    await hub.cloud.stop();
    await hub.crms.stop();
  }
};

const [ada, bob] = ['identifiers: ["email:ada@example.com"]', 'identifiers: ["email:bob@example.com"]'];
const form = (at: string, who: string): string =>
  `{ at: ${at}, interaction: { kind: form, channel: form, ${who} } }`;
const click = (at: string, who: string, link: string): string =>
  `{ at: ${at}, interaction: { kind: click, channel: email, ${who}, properties: { link: ${link} } } }`;

it('goes on at what the version awaits with which a customer has started, and new ones start with the new version', async () => {
  expect(
    await tell(
      [{ at: '2026-03-02T11:00:00Z', publish: second }],
      `
steps:
  - ${form('2026-03-02T10:00:00Z', ada)}
  - ${form('2026-03-02T12:00:00Z', bob)}
  - ${click('2026-03-02T13:00:00Z', ada, 'second')}
  - ${click('2026-03-02T13:00:00Z', bob, 'first')}
  - ${click('2026-03-02T14:00:00Z', ada, 'first')}
  - ${click('2026-03-02T15:00:00Z', bob, 'second')}
  # Her place is taken until her own series is over; then she starts the new one.
  - ${form('2026-03-02T16:00:00Z', ada)}
  - ${form('2026-03-04T10:00:00Z', ada)}
expect:
  notifications:
    - { to: ada@example.com, step: hello, at: 2026-03-02T10:00:00Z }
    - { to: ada@example.com, step: thanks, at: 2026-03-02T14:00:00Z }
    - { to: ada@example.com, step: last, at: 2026-03-03T14:00:00Z }
    - { to: bob@example.com, step: hi, at: 2026-03-02T12:00:00Z }
    - { to: bob@example.com, step: nice, at: 2026-03-02T15:00:00Z }
    - { to: ada@example.com, step: hi, at: 2026-03-04T10:00:00Z }
    - { to: ada@example.com, step: nice, at: 2026-03-07T10:00:00Z }
  suppressed: []
`,
    ),
  ).toEqual([]);
});

it('stays on its version when an earlier one is published again, and when the series becomes a single message', async () => {
  expect(
    await tell(
      [
        { at: '2026-03-02T11:00:00Z', publish: second },
        { at: '2026-03-02T13:00:00Z', publish: first },
        { at: '2026-03-02T14:00:00Z', publish: single },
      ],
      `
steps:
  - ${form('2026-03-02T10:00:00Z', ada)}
  - ${form('2026-03-02T12:00:00Z', bob)}
  - ${click('2026-03-02T15:00:00Z', ada, 'first')}
  - ${click('2026-03-02T15:00:00Z', bob, 'second')}
expect:
  notifications:
    - { to: ada@example.com, step: hello }
    - { to: ada@example.com, step: thanks, at: 2026-03-02T15:00:00Z }
    - { to: ada@example.com, step: last, at: 2026-03-03T15:00:00Z }
    - { to: bob@example.com, step: hi }
    - { to: bob@example.com, step: nice, at: 2026-03-02T15:00:00Z }
  suppressed: []
`,
    ),
  ).toEqual([]);
});

it('ends for those who started before a pause, whatever version is published after it', async () => {
  expect(
    await tell(
      [{ at: '2026-03-02T11:00:00Z' }, { at: '2026-03-02T12:00:00Z', publish: second }],
      `
steps:
  - ${form('2026-03-02T10:00:00Z', ada)}
  - ${click('2026-03-02T13:00:00Z', ada, 'first')}
expect:
  notifications: [{ to: ada@example.com, step: hello }]
  suppressed: [{ step: thanks, reason: paused, at: 2026-03-02T13:00:00Z }]
`,
    ),
  ).toEqual([]);
});
