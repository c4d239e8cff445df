import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { compareOutcome } from '../../../infra/scenario/compare.ts';
import { runScenario } from '../../../infra/scenario/run.ts';
import type { ScenarioOptions } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';

// The rules of FORMATS that need the whole pipeline: events, timers, claims, merges.

let synthesised: Assembly;
beforeAll(async () => {
  synthesised = await assembly();
});

const ada = 'identifiers: ["phone:+14155550100"]';
const mail = 'identifiers: ["email:ada@example.com"]';

const tell = async (story: string, options: Partial<ScenarioOptions> = {}): Promise<string[]> => {
  const scenario = Scenario.parse({ name: 'a story', ...parse(story) });
  const { outcome } = await runScenario(scenario, '.', { assembly: synthesised, ...options });
  return compareOutcome(scenario.expect, outcome);
};

describe('merges', () => {
  it('limits apply to the merged customer, whichever survives', async () => {
    expect(
      await tell(`
triggers:
  - { id: once, category: transactional, on: { kind: [form] }, send: { channels: [sms, email], template: t }, limits: { perCustomer: 1 per 7d } }
steps:
  - { at: 2026-03-02T09:00:00Z, interaction: { kind: behaviour, channel: web, ${mail} } }
  - { at: 2026-03-02T10:00:00Z, interaction: { kind: form, channel: form, ${ada} } }
  - { at: 2026-03-02T11:00:00Z, merge: { keep: "email:ada@example.com", other: "phone:+14155550100" } }
  - { at: 2026-03-02T12:00:00Z, interaction: { kind: form, channel: form, ${mail} } }
  - { at: 2026-03-09T10:00:00Z, interaction: { kind: form, channel: form, ${mail} } }
expect:
  notifications:
    - { trigger: once, channel: sms, to: "+14155550100", at: 2026-03-02T10:00:00Z }
    - { trigger: once, channel: sms, at: 2026-03-09T10:00:00Z }
  suppressed: [{ trigger: once, reason: frequency-cap, at: 2026-03-02T12:00:00Z }]
`),
    ).toEqual([]);
  });

  it('a wait follows the merged customer: the history can cancel it, and all channels are available', async () => {
    const story = (kind: string, expected: string): string => `
triggers:
  - { id: later, category: transactional, on: { kind: [form] }, unless: { kind: [order] }, wait: 4h, send: { channels: [email, sms], template: t } }
steps:
  - { at: 2026-03-02T09:00:00Z, interaction: { kind: behaviour, channel: web, ${mail} } }
  - { at: 2026-03-02T10:00:00Z, interaction: { kind: form, channel: form, ${ada} } }
  - { at: 2026-03-02T11:00:00Z, interaction: { kind: ${kind}, channel: web, ${mail} } }
  - { at: 2026-03-02T12:00:00Z, merge: { keep: "email:ada@example.com", other: "phone:+14155550100" } }
expect: ${expected}
`;
    const sent =
      '{ notifications: [{ channel: email, to: ada@example.com, at: 2026-03-02T14:00:00Z }], suppressed: [] }';
    expect(await tell(story('behaviour', sent))).toEqual([]);
    const cancelled = '{ notifications: [], suppressed: [{ reason: cancelled, at: 2026-03-02T14:00:00Z }] }';
    expect(await tell(story('order', cancelled))).toEqual([]);
  });
});

describe('pausing and publishing', () => {
  it('suppresses waiting notifications, also where the trigger is resumed before the wait ends; later events are handled', async () => {
    expect(
      await tell(`
triggers: [{ id: later, category: transactional, on: { kind: [form] }, wait: 2h, send: { channels: [sms], template: t } }]
steps:
  - { at: 2026-03-02T09:00:00Z, interaction: { kind: form, channel: form, id: F1, ${ada} } }
  - { at: 2026-03-02T09:30:00Z, pause: later }
  - { at: 2026-03-02T09:40:00Z, interaction: { kind: form, channel: form, id: F2, ${ada} } }
  - { at: 2026-03-02T10:00:00Z, publish: later }
  - { at: 2026-03-02T10:30:00Z, interaction: { kind: form, channel: form, id: F3, ${ada} } }
expect:
  notifications: [{ at: 2026-03-02T12:30:00Z }]
  suppressed: [{ reason: paused, at: 2026-03-02T11:00:00Z }]
`),
    ).toEqual([]);
  });
});

describe('a deferral', () => {
  it('is no suppression, and every condition is evaluated again when it ends', async () => {
    expect(
      await tell(`
triggers:
  - { id: kept, category: service, on: { kind: [form] }, send: { channels: [sms], template: t } }
  - { id: lost, category: service, on: { kind: [order] }, send: { channels: [sms], template: t } }
  - { id: ended, category: service, on: { kind: [comment] }, unless: { kind: [message] }, send: { channels: [sms], template: t } }
customers:
  - { identifiers: ["phone:+14155550100"], timeZone: Asia/Tokyo }
  - { identifiers: ["phone:+14155550111"] }
  - { identifiers: ["phone:+14155550122"] }
steps:
  - { at: 2026-03-02T22:00:00Z, interaction: { kind: form, channel: form, identifiers: ["phone:+14155550100"] } }
  - { at: 2026-03-02T22:00:00Z, interaction: { kind: order, channel: web, identifiers: ["phone:+14155550111"] } }
  - { at: 2026-03-02T22:00:00Z, interaction: { kind: comment, channel: instagram, identifiers: ["phone:+14155550122"] } }
  - { at: 2026-03-03T01:00:00Z, consent: { customer: "phone:+14155550111", channel: sms, status: denied } }
  - { at: 2026-03-03T02:00:00Z, interaction: { kind: message, channel: sms, identifiers: ["phone:+14155550122"], text: Hi } }
expect:
  notifications: [{ trigger: kept, at: 2026-03-02T23:00:00Z }]
  suppressed:
    - { trigger: lost, reason: no-consent, channel: sms, at: 2026-03-03T07:00:00Z }
    - { trigger: ended, reason: cancelled, at: 2026-03-03T07:00:00Z }
`),
    ).toEqual([]);
  });
});

describe('send reservations', () => {
  it('a cap holds across triggers that fire at the same time, with conflicting transactions', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const triggers = names.map(
      (id) =>
        `  - { id: ${id}, category: marketing, on: { kind: [form] }, send: { channels: [sms], template: t } }`,
    );
    const story = `
triggers:
${triggers.join('\n')}
customers: [{ ${ada}, consent: { sms: granted } }]
steps: [{ at: 2026-03-02T09:00:00Z, interaction: { kind: form, channel: form, ${ada} } }]
expect:
  notifications: [{}, {}, {}]
  suppressed: [{ reason: frequency-cap }, { reason: frequency-cap }, { reason: frequency-cap }]
`;
    expect(await tell(story)).toEqual([]);
    let turn = 0;
    expect(
      await tell(story, {
        random: () => (turn++ % 10) / 10,
        chaos: { duplicate: 0.5, reorder: true, conflict: 0.2 },
      }),
    ).toEqual([]);
  });

  it('a redelivered event leaves no entry', async () => {
    expect(
      await tell(`
triggers:
  - { id: sent, category: service, on: { kind: [form] }, send: { channels: [sms], template: t } }
  - { id: not, category: service, on: { kind: [form] }, where: [{ customer: { tags: [vip] } }], send: { channels: [sms], template: t } }
  - { id: waits, category: service, on: { kind: [form] }, wait: 1h, send: { channels: [sms], template: t } }
steps:
  - { at: 2026-03-02T09:00:00Z, interaction: { kind: form, channel: form, id: F1, ${ada} } }
  - { at: 2026-03-02T09:30:00Z, interaction: { kind: form, channel: form, id: F1, ${ada} } }
  - { at: 2026-03-02T12:30:00Z, interaction: { kind: form, channel: form, id: F1, ${ada} } }
expect:
  customers: [{ timeline: 1 }]
  notifications: [{ trigger: sent }, { trigger: waits, at: 2026-03-02T10:00:00Z }]
  suppressed: [{ trigger: not, reason: condition }]
`),
    ).toEqual([]);
  });
});

describe('which interactions a trigger sees', () => {
  it('its own kind only, notifications where it names them, nothing older than a day', async () => {
    expect(
      await tell(`
triggers:
  - { id: any, category: transactional, on: { channel: [sms, form] }, send: { channels: [sms], template: t } }
  - { id: echo, category: transactional, on: { kind: [notification], properties: { trigger: [any] } }, send: { channels: [email], template: u } }
customers: [{ identifiers: ["phone:+14155550100", "email:ada@example.com"] }]
steps:
  - { at: 2026-03-02T09:00:00Z, interaction: { kind: form, channel: form, ${ada} } }
  - { at: 2026-03-02T10:00:00Z, interaction: { kind: form, channel: form, occurredAt: 2026-03-01T09:59:59Z, ${ada} } }
expect:
  customers: [{ timeline: 2 }]
  notifications: [{ trigger: any, template: t }, { trigger: echo, channel: email, template: u }]
  suppressed: []
`),
    ).toEqual([]);
  });

  it('what we sent through a trigger does not count as a message', async () => {
    expect(
      await tell(`
triggers:
  - { id: first, category: transactional, on: { kind: [form] }, send: { channels: [sms], template: t } }
  - { id: later, category: transactional, on: { kind: [form] }, unless: { kind: [message] }, wait: 1h, send: { channels: [sms], template: t } }
steps: [{ at: 2026-03-02T09:00:00Z, interaction: { kind: form, channel: form, ${ada} } }]
expect: { notifications: [{ trigger: first }, { trigger: later }], suppressed: [] }
`),
    ).toEqual([]);
  });
});

it('a notification to colleagues needs neither consent nor an address of the customer', async () => {
  expect(
    await tell(`
triggers: [{ id: lead, category: service, on: { kind: [form] }, send: { to: { team: sales }, template: t } }]
hub: { teams: { sales: { email: [one@acme.example, two@acme.example] } } }
customers: [{ ${ada}, consent: { email: denied } }]
steps: [{ at: 2026-03-02T09:00:00Z, interaction: { kind: form, channel: form, ${ada} } }]
expect:
  customers: [{ ${ada}, timeline: 1 }]
  notifications: [{ channel: email, to: one@acme.example }, { channel: email, to: two@acme.example }]
  suppressed: []
  review: 0
`),
  ).toEqual([]);
});
