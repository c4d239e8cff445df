import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  DeleteArchiveCommand,
  DescribeArchiveCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  InvalidEventPatternException,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import type { EventsChaos } from '../../../infra/local/eventbridge/deliveries.ts';
import { events } from '../../../infra/local/eventbridge/index.ts';
import { ServiceError } from '../../../infra/local/protocol/json.ts';
import type { Deliver } from '../../../infra/local/protocol/service.ts';
import { ruledPatterns } from '../../support/patterns/cases.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

type Delivered = Parameters<Deliver>[0];
const queue = 'arn:aws:sqs:eu-south-1:123456789012:work';
const dead = 'arn:aws:sqs:eu-south-1:123456789012:dead';
const ruleArn = 'arn:aws:events:eu-south-1:123456789012:rule/hub/all';

const open = async ({
  deliver = () => {},
  chaos = {},
  random = () => 0.5,
}: {
  deliver?: (one: Delivered) => void;
  chaos?: EventsChaos;
  random?: () => number;
} = {}) => {
  const delivered: (Delivered & { at: number })[] = [];
  const around = serviceContext({
    random,
    deliver: async (one) => {
      deliver(one);
      delivered.push({ ...one, at: around.clock.now() });
    },
  });
  const service = events(around, chaos);
  const client = new EventBridgeClient(clientOf(service));
  await client.send(new CreateEventBusCommand({ Name: 'hub' }));
  const rule = async (target: Partial<Target> = {}, EventPattern = '{"source":["shop"]}') => {
    await client.send(new PutRuleCommand({ Name: 'all', EventBusName: 'hub', EventPattern }));
    const Targets = [{ Id: 'queue', Arn: queue, ...target }];
    await client.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'hub', Targets }));
  };
  const put = (entry: Partial<PutEventsRequestEntry> = {}) =>
    client.send(
      new PutEventsCommand({
        Entries: [{ Source: 'shop', DetailType: 'order', Detail: '{"n":1}', EventBusName: 'hub', ...entry }],
      }),
    );
  const settle = () => around.clock.runUntilIdle(around.clock.now() + 2 * 86_400_000);
  return { ...around, service, client, rule, put, settle, delivered };
};

describe('an event', () => {
  it('reaches the targets of the rules that match it, in its envelope', async () => {
    const { rule, put, settle, delivered } = await open();
    await rule();
    await put({ Resources: ['r'], Time: new Date('2026-02-28T10:00:00Z') });
    await put({ Source: 'other' });
    await settle();
    expect(delivered).toMatchObject([{ arn: queue, source: ruleArn, principal: 'events.amazonaws.com' }]);
    expect(JSON.parse(delivered[0]?.payload ?? '')).toEqual({
      version: '0',
      id: expect.stringMatching(/^[\da-f-]{36}$/u),
      'detail-type': 'order',
      source: 'shop',
      account: '123456789012',
      time: '2026-02-28T10:00:00Z',
      region: 'eu-south-1',
      resources: ['r'],
      detail: { n: 1 },
    });
  });

  it('that is refused fails alone, with the reason', async () => {
    const { client, rule, settle, delivered } = await open();
    await rule();
    const good = { Source: 'shop', DetailType: 'order', Detail: '{}', EventBusName: 'hub' };
    const { FailedEntryCount, Entries } = await client.send(
      new PutEventsCommand({
        Entries: [
          good,
          { ...good, Detail: 'not JSON' },
          { ...good, Detail: '[1]' },
          { ...good, Source: undefined },
          { ...good, Source: 'aws.s3' },
        ],
      }),
    );
    expect([FailedEntryCount, Entries?.map(({ ErrorCode }) => ErrorCode)]).toEqual([
      4,
      [undefined, 'MalformedDetail', 'MalformedDetail', 'InvalidArgument', 'NotAuthorizedForSourceException'],
    ]);
    await settle();
    expect(delivered.length).toBe(1);
  });

  it('counts with its texts and 14 bytes of time towards the limit of a request', async () => {
    const { put } = await open();
    const Detail = (bytes: number) => `{"x":"${'y'.repeat(bytes - 8)}"}`;
    const room = 256 * 1024 - 'shoporder'.length;
    await put({ Detail: Detail(room) });
    await expect(put({ Detail: Detail(room), Time: new Date() })).rejects.toThrow(/over the limit/u);
    await expect(put({ Detail: Detail(room + 1) })).rejects.toThrow(/over the limit/u);
  });

  it('may come twice and out of order, by the given randomness', async () => {
    let state = 7;
    const random = () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const { rule, put, settle, delivered } = await open({ chaos: { duplicate: 0.3, reorder: true }, random });
    await rule({ InputPath: '$.detail.n' });
    for (let n = 0; n < 30; n++) await put({ Detail: JSON.stringify({ n }) });
    await settle();
    const numbers = delivered.map(({ payload }) => Number(payload));
    expect(new Set(numbers).size).toBe(30);
    expect(numbers.length).toBeGreaterThan(30);
    expect(numbers).not.toEqual([...numbers].sort((one, other) => one - other));
  });

  it('is delivered after a restart, when it was accepted before', async () => {
    const { db, rule, put, newId } = await open();
    await rule();
    await put();
    const later = serviceContext();
    const arrived: string[] = [];
    events({ ...later, db, newId, deliver: async ({ arn }) => void arrived.push(arn) });
    await later.clock.runUntil(later.clock.now());
    expect(arrived).toEqual([queue]);
  });
});

describe('a target that fails', () => {
  const broken = (error: Error) => ({
    deliver: ({ arn }: Delivered) => {
      if (arn === queue) throw error;
    },
  });

  it('is tried again with growing pauses, then the event becomes a dead letter that says why', async () => {
    const { rule, put, settle, delivered, clock } = await open(broken(new Error('busy')));
    await rule({ RetryPolicy: { MaximumRetryAttempts: 3 }, DeadLetterConfig: { Arn: dead } });
    const start = clock.now();
    await put();
    await settle();
    expect(delivered).toMatchObject([
      {
        arn: dead,
        attributes: {
          RULE_ARN: ruleArn,
          TARGET_ARN: queue,
          ERROR_CODE: 'ERROR_FROM_TARGET',
          ERROR_MESSAGE: 'busy',
          EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
          RETRY_ATTEMPTS: '3',
        },
      },
    ]);
    expect((delivered[0]?.at ?? 0) - start).toBe(0.75 * (1000 + 2000 + 4000));
  });

  it('is given up when the event is too old', async () => {
    const { rule, put, settle, delivered } = await open(broken(new Error('busy')));
    await rule({ RetryPolicy: { MaximumEventAgeInSeconds: 60 }, DeadLetterConfig: { Arn: dead } });
    await put();
    await settle();
    expect(delivered[0]?.attributes?.['EXHAUSTED_RETRY_CONDITION']).toBe('MaximumEventAgeInSeconds');
  });

  it('is not tried again where nothing would change', async () => {
    const { rule, put, settle, delivered } = await open(
      broken(new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.')),
    );
    await rule({ DeadLetterConfig: { Arn: dead } });
    await put();
    await settle();
    expect(delivered[0]?.attributes).toMatchObject({ ERROR_CODE: 'NO_RESOURCE', RETRY_ATTEMPTS: '0' });
    expect(delivered[0]?.attributes).not.toHaveProperty('EXHAUSTED_RETRY_CONDITION');
  });
});

describe('the input of a target', () => {
  const inputOf = async (target: Partial<Target>, detail: unknown) => {
    const { rule, put, settle, delivered } = await open();
    await rule(target);
    await put({ Detail: JSON.stringify(detail) });
    await settle();
    return delivered[0]?.payload;
  };
  const paths = {
    a: '$.detail.a',
    list: '$.detail.list[*].id',
    first: "$.detail.list[0]['id']",
    none: '$.x',
  };
  const transformed = (InputTemplate: string, detail: unknown) =>
    inputOf({ InputTransformer: { InputPathsMap: paths, InputTemplate } }, detail);
  const detail = { a: 'say "hi"', list: [{ id: 1 }, { id: 2 }] };

  it('is a part of the event, or a constant', async () => {
    expect(await inputOf({ InputPath: '$.detail.list[1]' }, detail)).toBe('{"id":2}');
    expect(await inputOf({ Input: '{"fixed":true}' }, detail)).toBe('{"fixed":true}');
  });

  it.each([
    ['{"text":"<a>!","bare":<a>}', '{"text":"say \\"hi\\"!","bare":"say \\"hi\\""}'],
    ['{"all":<list>,"first":<first>}', '{"all":[1,2],"first":1}'],
    ['{"none":<none>,"empty":"<none>"}', '{"none":null,"empty":""}'],
    ['{"rule":"<aws.events.rule-name>","arn":<aws.events.rule-arn>}', `{"rule":"all","arn":"${ruleArn}"}`],
    ['"<a> came at <aws.events.event.ingestion-time>"', '"say \\"hi\\" came at 2026-03-01T09:00:00.000Z"'],
  ])('is filled into %s', async (template, expected) => {
    expect(await transformed(template, detail)).toBe(expected);
  });

  it('may hold the event without or with its detail', async () => {
    const text = await transformed('{"head":<aws.events.event>,"all":<aws.events.event.json>}', detail);
    const { head, all } = JSON.parse(text ?? '');
    expect([head.source, head.detail, all.detail]).toEqual(['shop', undefined, detail]);
  });

  it.each([
    ['two inputs at once', { Input: '{}', InputPath: '$.detail' }],
    ['an input that is no JSON', { Input: '{' }],
    ['a placeholder that no path names', { InputTransformer: { InputTemplate: '{"a":<b>}' } }],
    [
      'a path that is none',
      { InputTransformer: { InputPathsMap: { a: 'detail..a' }, InputTemplate: '{"a":<a>}' } },
    ],
  ])('is refused with %s', async (_, target) => {
    const { rule } = await open();
    await expect(rule(target)).rejects.toThrow(expect.objectContaining({ name: 'ValidationException' }));
  });
});

describe('rules', () => {
  it('are refused with a pattern that is none', async () => {
    const { rule } = await open();
    for (const pattern of ['{"source":"shop"}', '{"source":[]}', '{', '{"source":[{"sounds-like":"x"}]}'])
      await expect(rule({}, pattern)).rejects.toThrow(InvalidEventPatternException);
    await expect(rule({}, '{"source":"shop"}')).rejects.toThrow(/^Event pattern is not valid\. Reason: /u);
  });

  it("are refused and taken with AWS's own verdicts", async () => {
    const { client } = await open();
    for (const { name, pattern, event } of ruledPatterns()) {
      const EventPattern = JSON.stringify(pattern);
      const answer = client.send(new PutRuleCommand({ Name: 'all', EventBusName: 'hub', EventPattern }));
      if (event === undefined) await expect(answer, name).rejects.toThrow(InvalidEventPatternException);
      else await expect(answer, name).resolves.toMatchObject({ RuleArn: ruleArn });
    }
  });

  it('and their targets are listed in pages', async () => {
    const { client } = await open();
    for (const Name of ['a', 'b', 'c', 'd'])
      await client.send(new PutRuleCommand({ Name, EventBusName: 'hub', EventPattern: '{"source":["x"]}' }));
    const page = (NextToken?: string) =>
      client.send(new ListRulesCommand({ EventBusName: 'hub', Limit: 3, NextToken }));
    const first = await page();
    const second = await page(first.NextToken);
    expect([first, second].map(({ Rules }) => Rules?.map(({ Name }) => Name))).toEqual([
      ['a', 'b', 'c'],
      ['d'],
    ]);
    expect(second.NextToken).toBeUndefined();
    const Targets = ['1', '2', '3'].map((Id) => ({ Id, Arn: queue }));
    await client.send(new PutTargetsCommand({ Rule: 'b', EventBusName: 'hub', Targets }));
    const targets = await client.send(
      new ListTargetsByRuleCommand({ Rule: 'b', EventBusName: 'hub', Limit: 2 }),
    );
    expect([targets.Targets?.length, targets.NextToken !== undefined]).toEqual([2, true]);
    const { RuleNames } = await client.send(
      new ListRuleNamesByTargetCommand({ TargetArn: queue, EventBusName: 'hub' }),
    );
    expect(RuleNames).toEqual(['b']);
    const removed = await client.send(
      new RemoveTargetsCommand({ Rule: 'b', EventBusName: 'hub', Ids: ['1', '9'] }),
    );
    expect(removed.FailedEntries).toMatchObject([{ TargetId: '9', ErrorCode: 'ResourceNotFoundException' }]);
  });

  it.each(['queue', 'arn:aws:sqs:eu-south-1::work', 'arn:aws:sqs:eu-south-1:123456789012:'])(
    'do not send to %j, which is no address of a resource',
    async (Arn) => {
      const { client } = await open();
      await client.send(new PutRuleCommand({ Name: 'tick', ScheduleExpression: 'rate(15 minutes)' }));
      for (const target of [
        { Id: 'q', Arn },
        { Id: 'q', Arn: queue, DeadLetterConfig: { Arn } },
      ])
        await expect(
          client.send(new PutTargetsCommand({ Rule: 'tick', Targets: [target] })),
        ).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining(Arn) });
    },
  );

  it('with a schedule tick on the default bus, until disabled', async () => {
    const { client, clock, delivered } = await open();
    await client.send(new PutRuleCommand({ Name: 'tick', ScheduleExpression: 'rate(15 minutes)' }));
    await client.send(new PutTargetsCommand({ Rule: 'tick', Targets: [{ Id: 'q', Arn: queue }] }));
    await clock.runUntil(Date.parse('2026-03-01T09:45:00Z'));
    await client.send(
      new PutRuleCommand({ Name: 'tick', ScheduleExpression: 'rate(15 minutes)', State: 'DISABLED' }),
    );
    await clock.runUntil(Date.parse('2026-03-01T12:00:00Z'));
    expect(delivered.map(({ payload }) => JSON.parse(payload))).toMatchObject(
      ['09:15', '09:30', '09:45'].map((time) => ({
        source: 'aws.events',
        'detail-type': 'Scheduled Event',
        time: `2026-03-01T${time}:00Z`,
        resources: ['arn:aws:events:eu-south-1:123456789012:rule/tick'],
        detail: {},
      })),
    );
    expect(await client.send(new DescribeRuleCommand({ Name: 'tick' }))).toMatchObject({
      ScheduleExpression: 'rate(15 minutes)',
      State: 'DISABLED',
    });
    await expect(
      client.send(
        new PutRuleCommand({ Name: 't', EventBusName: 'hub', ScheduleExpression: 'rate(1 minute)' }),
      ),
    ).rejects.toThrow(/only on the default event bus/u);
  });
});

describe('an archive', () => {
  const bus = 'arn:aws:events:eu-south-1:123456789012:event-bus/hub';

  it('stores the events that match its pattern, as long as its retention says', async () => {
    const { client, put, clock } = await open();
    await client.send(
      new CreateArchiveCommand({
        ArchiveName: 'orders',
        EventSourceArn: bus,
        EventPattern: '{"detail-type":["order"]}',
        RetentionDays: 2,
      }),
    );
    await put({ Detail: '{"n":1}' });
    await put({ DetailType: 'visit' });
    await clock.runUntil(Date.parse('2026-03-01T12:00:00Z'));
    await put({ Detail: '{"n":2}' });
    const describe = () => client.send(new DescribeArchiveCommand({ ArchiveName: 'orders' }));
    expect(await describe()).toMatchObject({
      EventCount: 2,
      RetentionDays: 2,
      State: 'ENABLED',
      EventSourceArn: bus,
    });
    await clock.runUntil(Date.parse('2026-03-03T10:00:00Z'));
    expect((await describe()).EventCount).toBe(1);
    await client.send(new DeleteArchiveCommand({ ArchiveName: 'orders' }));
    await expect(describe()).rejects.toThrow(/does not exist/u);
  });
});
