import { DescribeRuleCommand, ListTargetsByRuleCommand, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  dropAllRules,
  pause,
  publish,
  publishSeed,
  unpublish,
  unpublishOthers,
} from '../../../functions/aws/triggers/publish.ts';
import { rulesOf } from '../../../functions/aws/triggers/trigger-rules.ts';
import { HOUR, iso, NOON } from '../../support/triggers/situations.ts';
import { openTriggerTable, type TriggerTable, templates } from '../../support/triggers/trigger-table.ts';

let hub: TriggerTable;
beforeEach(async () => {
  hub = await openTriggerTable();
});

const definition = (fields: Record<string, unknown> = {}): unknown => ({
  id: 'hello',
  category: 'service',
  on: { kind: ['message'] },
  send: { channels: ['email'], template: 'hello' },
  ...fields,
});
const names = async (): Promise<string[]> => (await rulesOf(hub.publishing)).map(({ name }) => name);
const stateOf = async (Name: string): Promise<string | undefined> =>
  (await hub.bus.send(new DescribeRuleCommand({ Name, EventBusName: 'bus' }))).State;
const fill = async (count: number, pattern: object): Promise<void> => {
  for (let position = 0; position < count; position++)
    await hub.bus.send(
      new PutRuleCommand({
        Name: `other-${position}`,
        EventBusName: 'bus',
        EventPattern: JSON.stringify(pattern),
      }),
    );
};

describe('publishing', () => {
  it('writes the version, then a rule whose target is the decisions queue', async () => {
    expect(await publish(hub.publishing, definition(), templates)).toBe(1);
    expect((await hub.triggers.version('hello', 1))?.trigger.on).toEqual({ kind: ['message'] });
    expect(await names()).toEqual(['trigger-hello-v1']);
    const { Targets = [] } = await hub.bus.send(
      new ListTargetsByRuleCommand({ Rule: 'trigger-hello-v1', EventBusName: 'bus' }),
    );
    expect(Targets).toMatchObject([
      { Arn: hub.publishing.decisionsQueue, DeadLetterConfig: { Arn: hub.publishing.deadQueue } },
    ]);
  });

  it('an edit is a new version with its own rule; the old one keeps its definition and templates', async () => {
    await publish(hub.publishing, definition(), templates);
    expect(await publish(hub.publishing, definition({ wait: '1h' }), templates)).toBe(2);
    expect(await names()).toEqual(['trigger-hello-v2']);
    expect((await hub.triggers.version('hello', 1))?.trigger.wait).toBeUndefined();
    expect((await hub.triggers.version('hello', 2))?.trigger.wait).toBe(HOUR);
    const edited = { ...templates, hello: { 'sms.liquid': 'new' } };
    expect(await publish(hub.publishing, definition({ wait: '1h' }), edited)).toBe(3);
    expect((await hub.triggers.version('hello', 2))?.templates['hello']).toEqual(templates['hello']);
  });

  it('an unchanged trigger keeps its version', async () => {
    await publish(hub.publishing, definition(), templates);
    expect(await publish(hub.publishing, definition(), templates)).toBe(1);
    expect(await names()).toEqual(['trigger-hello-v1']);
  });

  it('skips a version that an interrupted publication has left', async () => {
    await publish(hub.publishing, definition(), templates);
    await hub.rows.put({ pk: 'trigger#hello', sk: 'v#2', definition: {}, templates: {} });
    expect(await publish(hub.publishing, definition({ wait: '1h' }), templates)).toBe(3);
  });

  it('leaves the rules of a trigger with a similar id', async () => {
    await publish(hub.publishing, definition({ id: 'a-v1' }), templates);
    await publish(hub.publishing, definition({ id: 'a' }), templates);
    await publish(hub.publishing, definition({ id: 'a', wait: '1h' }), templates);
    expect(await names()).toEqual(['trigger-a-v1-v1', 'trigger-a-v2']);
  });

  it('pins the languages and the layouts of its templates: a change of one is a new version', async () => {
    const files = { 'sms.liquid': 'Hi', 'sms.it.liquid': 'Ciao', 'layouts/default.liquid': '{{ content }}' };
    const withFiles = (more: Record<string, string>) =>
      publish(hub.publishing, definition(), { ...templates, hello: { ...files, ...more } });
    expect(await withFiles({})).toBe(1);
    expect(await withFiles({})).toBe(1);
    expect(await withFiles({ 'sms.it.liquid': 'Salve' })).toBe(2);
    expect(await withFiles({ 'sms.it.liquid': 'Salve', 'layouts/default.liquid': '!{{ content }}' })).toBe(3);
    expect((await hub.triggers.version('hello', 1))?.templates['hello']).toEqual(files);
  });

  it('refuses a template that is missing or has mistakes, with their place', async () => {
    const missing = definition({ send: { channels: ['email'], template: 'nowhere' } });
    await expect(publish(hub.publishing, missing, templates)).rejects.toThrow(/names the template nowhere/u);
    const faulty = { hello: { 'sms.liquid': 'Dear {{ customer.nmae }}' } };
    await expect(publish(hub.publishing, definition(), faulty)).rejects.toThrow(
      'mappings/templates/hello/sms.liquid:1: there is no variable customer.nmae; did you mean customer.name.full?',
    );
    expect(await names()).toEqual([]);
  });

  it('refuses a pattern that EventBridge would refuse, before it writes anything', async () => {
    const long = definition({ on: { text: Array.from({ length: 300 }, (_, at) => `word-${at}`) } });
    await expect(publish(hub.publishing, long, templates)).rejects.toThrow(/EventBridge takes 2048/u);
    expect(await hub.triggers.current('hello')).toBeUndefined();
  });

  it('refuses the 101st rule in a region with fewer, and the 31st with a wildcard', async () => {
    await fill(30, { source: [{ wildcard: 'a*b' }] });
    const wild = definition({ on: { text: [{ wildcard: '*help*' }] } });
    await expect(publish(hub.publishing, wild, templates)).rejects.toThrow(/30 rules with wildcards/u);
    await fill(99, { source: ['x'] });
    await publish(hub.publishing, definition(), templates);
    await expect(publish(hub.publishing, definition({ id: 'more' }), templates)).rejects.toThrow(
      /has 100 rules, and AWS allows 100 in eu-south-1/u,
    );
  });
});

describe('pausing', () => {
  it('disables the rule and stores the time; publishing enables it again', async () => {
    await publish(hub.publishing, definition(), templates);
    await pause(hub.publishing, 'hello');
    expect(await stateOf('trigger-hello-v1')).toBe('DISABLED');
    expect(await hub.triggers.current('hello')).toMatchObject({ paused: true, pausedAt: iso(NOON) });
    expect(await publish(hub.publishing, definition(), templates)).toBe(1);
    expect(await stateOf('trigger-hello-v1')).toBe('ENABLED');
    expect(await hub.triggers.current('hello')).toMatchObject({ paused: false, pausedAt: iso(NOON) });
  });

  it('of a trigger that does not exist is refused', async () => {
    await expect(pause(hub.publishing, 'nobody')).rejects.toThrow(/no trigger nobody/u);
  });

  it('permanently deletes the rule and keeps the versions', async () => {
    await publish(hub.publishing, definition(), templates);
    await unpublish(hub.publishing, 'hello');
    expect(await names()).toEqual([]);
    expect(await hub.triggers.current('hello')).toMatchObject({ version: 1, paused: true });
    expect(await hub.triggers.version('hello', 1)).toBeDefined();
  });
});

describe('a deploy', () => {
  it('publishes new and changed files', async () => {
    expect(await publishSeed(hub.publishing, definition(), templates)).toBe(true);
    expect(await publishSeed(hub.publishing, definition({ wait: '1h' }), templates)).toBe(true);
    expect(await names()).toEqual(['trigger-hello-v2']);
  });

  it('keeps what a person has edited since', async () => {
    await publishSeed(hub.publishing, definition(), templates);
    await publish(hub.publishing, definition({ wait: '2h' }), templates);
    expect(await publishSeed(hub.publishing, definition({ wait: '1h' }), templates)).toBe(false);
    expect((await hub.triggers.version('hello', 2))?.trigger.wait).toBe(2 * HOUR);
    expect(await names()).toEqual(['trigger-hello-v2']);
  });

  it('keeps a paused trigger paused, changed or not, and restores a missing rule', async () => {
    await publishSeed(hub.publishing, definition(), templates);
    await pause(hub.publishing, 'hello');
    await publishSeed(hub.publishing, definition(), templates);
    expect(await stateOf('trigger-hello-v1')).toBe('DISABLED');
    await publishSeed(hub.publishing, definition({ wait: '1h' }), templates);
    expect(await stateOf('trigger-hello-v2')).toBe('DISABLED');
    await dropAllRules(hub.publishing);
    await publishSeed(hub.publishing, definition({ wait: '1h' }), templates);
    expect(await stateOf('trigger-hello-v2')).toBe('DISABLED');
  });

  it('deletes triggers without a file, except those that a person has created', async () => {
    await publishSeed(hub.publishing, definition(), templates);
    await publishSeed(hub.publishing, definition({ id: 'old' }), templates);
    await publish(hub.publishing, definition({ id: 'own' }), templates);
    await unpublishOthers(hub.publishing, new Set(['hello']));
    expect(await names()).toEqual(['trigger-hello-v1', 'trigger-own-v1']);
  });

  it('deletes the run-time rules with the stack, and no others', async () => {
    await fill(1, { source: ['x'] });
    await publish(hub.publishing, definition(), templates);
    await dropAllRules(hub.publishing);
    expect(await names()).toEqual(['other-0']);
  });
});
