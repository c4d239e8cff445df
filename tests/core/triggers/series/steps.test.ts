import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfigFile } from '../../../../core/config/config-file.ts';
import { tolerant } from '../../../../core/formats/tolerant.ts';
import { publishFaults, templatesOf } from '../../../../core/triggers/publishing/publishable.ts';
import { sendingTrigger } from '../../../../core/triggers/series/sending-trigger.ts';
import { beginOf, byProgress, seriesOf } from '../../../../core/triggers/series/steps.ts';
import { rulePattern, Trigger } from '../../../../core/triggers/trigger.ts';

const head = 'id: series\ncategory: marketing\non: { kind: [form] }\n';
const read = (lines: string): Trigger => parseConfigFile('mappings/triggers/t.yaml', head + lines, Trigger);
const welcome = `
exit: { kind: [order] }
holdout: 10%
limits: { perCustomer: 1 per 7d, expires: 1h }
steps:
  - { id: hello, send: { channels: [email], template: welcome-1 } }
  - wait: 3d
    branch:
      - where: [{ count: { kind: [click] }, within: 3d, atLeast: 1 }]
        steps: [{ id: thanks, send: { channels: [email], template: thanks } }, { wait: 1d }]
      - steps: []
  - await: { kind: [click] }
    within: 2d
    split: [{ share: 50%, steps: [{ send: { channels: [sms], template: thanks } }] }, { steps: [{ wait: 2d }] }]
  - { send: { channels: [email], template: thanks, variants: [{ template: other, share: 10% }] } }
`;

describe('the steps of a series', () => {
  const series = seriesOf(read(welcome));

  it('are called by their id, else their template, else what they do', () => {
    expect([...series.keys()]).toEqual([
      ...['hello', 'branch', 'thanks', 'wait', 'split', 'thanks-2', 'wait-2', 'thanks-3'],
    ]);
  });

  it('lead on behind the step in which ways part', () => {
    const next = Object.fromEntries([...series].map(([name, stop]) => [name, stop.next]));
    expect(next).toEqual({
      ...{ hello: 'branch', branch: 'split', thanks: 'wait', wait: 'split' },
      ...{ split: 'thanks-3', 'thanks-2': 'thanks-3', 'wait-2': 'thanks-3', 'thanks-3': undefined },
    });
    const branch = series.get('branch');
    if (branch === undefined) throw new Error('there is no branch');
    expect(branch.step.branch?.map(({ steps }) => beginOf(series, branch, steps))).toEqual([
      'thanks',
      'split',
    ]);
    expect(beginOf(series, branch, undefined)).toBe('split');
  });

  it('are further the later their outermost step is, whichever way leads there', () => {
    const isFurther = (one: string, other: string): number =>
      Math.sign(byProgress(series.get(one), series.get(other)));
    expect(isFurther('split', 'wait')).toBe(-1);
    expect(isFurther('wait', 'thanks')).toBe(-1);
    expect(isFurther('thanks', 'branch')).toBe(-1);
    expect(isFurther('wait-2', 'thanks-2')).toBe(0);
    expect(isFurther('hello', 'branch')).toBe(1);
    expect(isFurther('no such step', 'hello')).toBe(1);
  });

  it('decide about their messages with what the series says of all of them', () => {
    const trigger = read(welcome);
    expect(sendingTrigger(trigger, 'thanks-3')).toMatchObject({
      ...{ id: 'series', category: 'marketing', unless: { kind: ['order'] } },
      limits: { expires: 3_600_000 },
      send: { template: 'thanks', holdout: 0.1, variants: [{ template: 'other' }] },
    });
    expect(sendingTrigger(trigger, 'thanks-3').limits.perCustomer).toBeUndefined();
    expect(() => sendingTrigger(trigger, 'branch')).toThrow(/no message branch/u);
  });

  it('name templates and await events in the one pattern of the rule', () => {
    const trigger = read(welcome);
    expect(templatesOf(trigger)).toEqual(['welcome-1', 'thanks', 'other']);
    expect(rulePattern(trigger)).toMatchObject({
      detail: { $or: [{ kind: ['form'] }, { kind: ['click'] }] },
    });
    expect(publishFaults(trigger, { 'welcome-1': {}, other: {} })).toMatchObject([
      { code: 'missing-template', path: ['steps'] },
    ]);
    const long = { ...trigger, steps: [{ await: { text: ['x'.repeat(2048)] }, within: 1 }] };
    expect(publishFaults(long, {})).toMatchObject([{ code: 'oversized-pattern' }]);
    const reserved = { ...trigger, steps: [{ await: { properties: { prefix: ['x'] } }, within: 1 }] };
    expect(publishFaults(reserved, {})).toMatchObject([{ code: 'invalid-pattern', path: ['steps'] }]);
  });
});

const send = 'send: { channels: [email], template: t }';
it.each([
  ['send beside steps', `steps: [{ ${send} }]\n${send}`, /send: send may not stand beside steps/u],
  ['wait beside steps', `steps: [{ ${send} }]\nwait: 1d`, /wait: wait may not stand beside steps/u],
  ['until beside steps', `steps: [{ ${send} }]\nuntil: "09:00"`, /until: until may not stand beside steps/u],
  ['unless beside steps', `steps: [{ ${send} }]\nunless: { kind: [order] }`, /unless: .*write exit/u],
  ['neither send nor steps', 'wait: 1d', /send: expected send, or steps/u],
  ['exit beside send', `${send}\nexit: { kind: [order] }`, /exit: exit stands beside steps/u],
  ['holdout beside send', `${send}\nholdout: 10%`, /holdout: holdout stands beside steps/u],
  ['no steps', 'steps: []', /steps: /u],
  ['holdout in a step', 'steps: [{ send: { channels: [email], template: t, holdout: 1% } }]', /holdout/u],
  [
    'two waits in a step',
    `steps: [{ wait: 1d, until: "09:00", ${send} }]`,
    /expected one of wait, until and await/u,
  ],
  [
    'two actions in a step',
    `steps: [{ ${send}, branch: [{ steps: [] }] }]`,
    /expected one of send, branch and split/u,
  ],
  ['await without within', 'steps: [{ await: { kind: [click] } }]', /expected await and within together/u],
  ['within without await', `steps: [{ within: 1d, ${send} }]`, /expected await and within together/u],
  [
    'a step that does nothing',
    'steps: [{ id: nothing }]',
    /expected wait, until, await, send, branch or split/u,
  ],
  ['an unknown key', 'steps: [{ waits: 1d }]', /waits/u],
  [
    'the same id twice',
    `steps: [{ id: a, ${send} }, { branch: [{ steps: [{ id: a, wait: 1d }] }] }]`,
    /two steps have the id a/u,
  ],
  [
    'a template that cannot be a name',
    'steps: [{ send: { channels: [email], template: "a b" } }]',
    /expected an id/u,
  ],
  [
    'shares above all',
    `steps: [{ split: [{ share: 60%, steps: [] }, { share: 50%, steps: [] }] }]`,
    /at most 100%/u,
  ],
  ['two rests', 'steps: [{ split: [{ steps: [] }, { steps: [] }] }]', /only one of them may be the rest/u],
])('a trigger with %s is refused', (_, lines, expected) => {
  expect(() => read(lines)).toThrow(expected);
});

it('is read from the rows of another release, with keys that this one does not know', () => {
  const definition = parse(head + welcome);
  const newer = { ...definition, colour: 'red', steps: [{ ...definition.steps[0], mood: 'good' }] };
  expect(Trigger.safeParse(newer).success).toBe(false);
  expect([...seriesOf(tolerant(Trigger).parse(newer)).keys()]).toEqual(['hello']);
});
