import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { durationMs } from '../../../core/config/duration.ts';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { templateFaults } from '../../../core/triggers/message/faults.ts';
import { matches, parsePattern } from '../../../core/triggers/pattern/index.ts';
import { renderTemplate, variablesFor } from '../../../core/triggers/template.ts';
import { templateChannels } from '../../../core/triggers/template-files.ts';
import { namesNotifications, ruleName, rulePattern, Trigger } from '../../../core/triggers/trigger.ts';
import { readTemplates } from '../../../infra/stack/seed.ts';
import { ruledPatterns } from '../../support/patterns/cases.ts';
import { NOON, past, person, trigger } from '../../support/triggers/situations.ts';

const read = (lines: string): Trigger => parseConfigFile('mappings/triggers/t.yaml', lines, Trigger);
const good = `id: cart-left
name: Cart left behind
category: marketing
on: { kind: [behaviour], properties: { name: [cart_updated], total: [{ numeric: [">", 50] }] } }
where:
  - count: { kind: [order] }
    within: 1d
    exactly: 0
  - customer: { tags: ["vip"] }
  - not: { customer: { stage: ["churned"] } }
unless: { kind: [order] }
wait: 2h
send:
  channels: [preferred, email, sms]
  template: cart-left
  variants: [{ template: cart-left-b, share: 50% }]
  holdout: 10%
limits: { perCustomer: 1 per 7d, quietHours: "21:00-08:00", expires: 2d }
goal: { on: { kind: [order] }, within: 7d }
`;
const without = (line: RegExp, instead = ''): string => good.replace(line, instead);

describe('a trigger file', () => {
  it('is read as FORMATS writes it', () => {
    expect(read(good)).toMatchObject({
      id: 'cart-left',
      wait: 7_200_000,
      send: { holdout: 0.1, variants: [{ share: 0.5 }] },
      limits: {
        perCustomer: { count: 1, windowMs: 604_800_000 },
        quietHours: { start: 1260, end: 480 },
        expires: 172_800_000,
      },
      goal: { within: 604_800_000 },
    });
    expect(read(without(/wait: 2h/u, 'until: "09:05"')).until).toBe(545);
    expect(read(without(/holdout: 10%/u, 'holdout: " 12.25% "')).send?.holdout).toBe(0.1225);
    expect(read(without(/holdout: 10%/u, 'holdout: 100%')).send?.holdout).toBe(1);
    expect(read(without(/wait: 2h/u, 'until: { property: startsAt, minus: 24h }')).until).toEqual({
      property: 'startsAt',
      minus: 86_400_000,
    });
  });

  it("takes and refuses the patterns that AWS's own matcher takes and refuses", () => {
    for (const { name, pattern, event } of ruledPatterns()) {
      const file = good.replace(/^on: .*$/mu, () => `on: ${JSON.stringify(pattern)}`);
      if (event === undefined) expect(() => read(file), name).toThrow(/on: Event pattern is not valid/u);
      else expect(() => read(file), name).not.toThrow();
    }
  });

  it.each([
    ['without a category', without(/category: .*\n/u), /t\.yaml:1: category: /u],
    [
      'with a word that is not in the format',
      without(/wait: 2h/u, 'waits: 2h'),
      /t\.yaml:12: waits: unknown key/u,
    ],
    [
      'with both wait and until',
      without(/wait: 2h/u, 'wait: 2h\nuntil: "09:00"'),
      /t\.yaml:13: until: .*not both/u,
    ],
    [
      'with a duration that is none',
      without(/wait: 2h/u, 'wait: soon'),
      /t\.yaml:12: wait: expected a duration/u,
    ],
    [
      'with a pattern that is none',
      without(/unless: .*/u, 'unless: { kind: order }'),
      /t\.yaml:11: unless: .*kind.*list/u,
    ],
    [
      'with quiet hours although transactional',
      without(/marketing/u, 'transactional'),
      /quietHours: .*exempt/u,
    ],
    ['without channels or a team', without(/ {2}channels: .*\n/u), /send: expected channels/u],
    ['with a channel that is none', without(/preferred, /u, 'fax, '), /channels\.0: /u],
    [
      'with shares above 100%',
      without(/share: 50%/u, 'share: 60% }, { template: x, share: 50%'),
      /at most 100%/u,
    ],
    [
      'with a count that nothing is asked of',
      without(/ {4}exactly: 0\n/u),
      /expected atLeast, atMost or exactly/u,
    ],
    ['with a share above 100%', without(/share: 50%/u, 'share: 101%'), /expected a share/u],
    ['with a share without %', without(/holdout: 10%/u, 'holdout: "10"'), /expected a share/u],
    ['with a share that is none', without(/holdout: 10%/u, 'holdout: about 10%'), /expected a share/u],
    ['with a share and more', without(/holdout: 10%/u, 'holdout: 10% or so'), /expected a share/u],
    ['with a time that is none', without(/wait: 2h/u, 'until: "24:00"'), /until: /u],
    ['with an id that is no name', without(/id: cart-left/u, 'id: Cart Left'), /t\.yaml:1: id: /u],
    ['with a window longer than a claim is kept', without(/1 per 7d/u, '1 per 2y'), /perCustomer: .*366d/u],
  ])('%s is refused with file, line, key and what was expected', (_, lines, message) => {
    expect(() => read(lines)).toThrow(message);
  });
});

describe('the rule of a trigger', () => {
  const event = (kind: string): object => ({
    source: 'tributary',
    'detail-type': 'interaction.recorded',
    detail: { kind, channel: 'sms' },
  });
  const takes = (on: object, kind: string): boolean =>
    matches(parsePattern(rulePattern(trigger({ on }))), event(kind));

  it('has `on` as it was written', () => {
    expect(rulePattern(read(good))).toEqual({
      source: ['tributary'],
      'detail-type': ['interaction.recorded'],
      detail: {
        kind: ['behaviour'],
        properties: { name: ['cart_updated'], total: [{ numeric: ['>', 50] }] },
      },
    });
  });

  it('is named by its trigger and version', () => {
    expect(ruleName('hello', 3)).toBe('trigger-hello-v3');
  });

  it('sees no notification unless it names the kind', () => {
    expect(takes({ channel: ['sms'] }, 'message')).toBe(true);
    expect(takes({ channel: ['sms'] }, 'notification')).toBe(false);
    expect(takes({ kind: ['notification'] }, 'notification')).toBe(true);
    expect(takes({ kind: [{ prefix: 'm' }], channel: ['sms'] }, 'message')).toBe(true);
    const either = { $or: [{ kind: ['notification'] }, { channel: ['email'] }] };
    expect(takes(either, 'notification')).toBe(true);
    expect(rulePattern(trigger({ on: either }))).toMatchObject({ detail: either });
    expect(namesNotifications(either)).toBe(true);
    for (const on of [{ $or: [{ kind: ['order'] }, { channel: ['sms'] }] }, { kind: ['order'] }, {}])
      expect(namesNotifications(on)).toBe(false);
    expect(namesNotifications({ $or: [null, ['notification'], 'x'] })).toBe(false);
  });
});

it('durations are exact', () => {
  expect(['30s', '15m', '4h', '7d', '2w'].map(durationMs)).toEqual([
    30_000, 900_000, 14_400_000, 604_800_000, 1_209_600_000,
  ]);
  for (const wrong of ['', '1', 'd', '1.5h', '-1d', '1 d'])
    expect(() => durationMs(wrong)).toThrow(RangeError);
});

describe('the shipped triggers', () => {
  const folder = new URL('../../../mappings/', import.meta.url).pathname;
  const templates = readTemplates(`${folder}templates`);
  const files = readdirSync(`${folder}triggers`);
  const shipped = files.map((file) =>
    parseConfigFile(file, readFileSync(`${folder}triggers/${file}`, 'utf8'), Trigger),
  );

  it('exercise e-mail, SMS and push between them', () => {
    const named = shipped.flatMap(({ send }) => send?.channels ?? []);
    expect(new Set(named)).toEqual(new Set([...named, 'email', 'sms', 'push']));
    expect(files.length).toBeGreaterThanOrEqual(3);
  });

  it('name templates without faults that render for whom little is known of', () => {
    const links = {
      unsubscribe: 'https://hub.example/unsubscribe/x',
      preferences: 'https://hub.example/preferences/x',
      confirm: 'https://hub.example/confirm/x',
    };
    for (const one of shipped) {
      const template = one.send?.template ?? '';
      const own = templates[template] ?? {};
      expect(templateFaults(template, own)).toEqual([]);
      const variables = variablesFor(one, person(), past(NOON), links);
      for (const channel of templateChannels(own).channels)
        expect(renderTemplate(template, own, channel, variables, false).text).not.toBe('');
    }
  });
});

it('the defaults of hub.yaml are the values that FORMATS prints', () => {
  const file = new URL('../../../mappings/hub.yaml', import.meta.url).pathname;
  expect(parseConfigFile('mappings/hub.yaml', readFileSync(file, 'utf8'), HubConfig)).toEqual(
    HubConfig.parse({}),
  );
});
