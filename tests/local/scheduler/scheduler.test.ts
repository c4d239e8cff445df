import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  ResourceNotFoundException,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../infra/local/protocol/json.ts';
import type { Deliver } from '../../../infra/local/protocol/service.ts';
import { recurrence } from '../../../infra/local/scheduler/expression.ts';
import { scheduler } from '../../../infra/local/scheduler/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

type Delivered = Parameters<Deliver>[0];
const queue = 'arn:aws:sqs:eu-south-1:123456789012:work';
const dead = 'arn:aws:sqs:eu-south-1:123456789012:dead';
const Target = { Arn: queue, RoleArn: 'arn:aws:iam::123456789012:role/timers', Input: '{"wake":1}' };

const open = (deliver: (one: Delivered) => void = () => {}, random = () => 0.5) => {
  const delivered: (Delivered & { at: string })[] = [];
  const around = serviceContext({
    random,
    deliver: async (one) => {
      deliver(one);
      delivered.push({ ...one, at: iso(around.clock.now()) });
    },
  });
  const client = new SchedulerClient(clientOf(scheduler(around)));
  const create = (ScheduleExpression: string, more: Partial<CreateScheduleCommandInput> = {}) =>
    client.send(
      new CreateScheduleCommand({
        Name: 'one',
        ScheduleExpression,
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target,
        ...more,
      }),
    );
  const get = (Name = 'one') => client.send(new GetScheduleCommand({ Name }));
  return { ...around, client, delivered, create, get };
};
const iso = (time: number | undefined): string => new Date(time ?? Number.NaN).toISOString();
const until = (time: string): number => Date.parse(time);

it('takes an input of 256 KB, and no larger one', async () => {
  const { create } = open();
  await create('at(2026-03-05T09:00:00)', { Target: { ...Target, Input: 'x'.repeat(262_144) } });
  const larger = create('at(2026-03-05T09:00:00)', {
    Name: 'two',
    Target: { ...Target, Input: `ü${'x'.repeat(262_143)}` },
  });
  await expect(larger).rejects.toMatchObject({ name: 'ValidationException' });
});

describe('schedule expressions', () => {
  const times = (expression: string, zone: string, after: string, count: number): string[] => {
    const start = Date.parse(after);
    const { next } = recurrence(expression, zone, start);
    const found: string[] = [];
    for (let at = next(start); at !== undefined && found.length < count; at = next(at)) found.push(iso(at));
    return found.map((time) => time.slice(0, 16));
  };

  it.each([
    ['rate(90 minutes)', 'UTC', '2026-03-01T09:00Z', ['2026-03-01T10:30', '2026-03-01T12:00']],
    ['cron(0/20 9-10 * * ? *)', 'UTC', '2026-03-01T10:30Z', ['2026-03-01T10:40', '2026-03-02T09:00']],
    ['cron(15 10 ? * MON-FRI *)', 'UTC', '2026-02-27T10:15Z', ['2026-03-02T10:15', '2026-03-03T10:15']],
    ['cron(0 8 L * ? *)', 'UTC', '2026-02-01T00:00Z', ['2026-02-28T08:00', '2026-03-31T08:00']],
    ['cron(0 8 1W * ? *)', 'UTC', '2026-07-15T00:00Z', ['2026-08-03T08:00', '2026-09-01T08:00']],
    ['cron(0 8 ? * 6L *)', 'UTC', '2026-03-01T00:00Z', ['2026-03-27T08:00', '2026-04-24T08:00']],
    ['cron(0 8 ? * TUE#2 *)', 'UTC', '2026-03-01T00:00Z', ['2026-03-10T08:00', '2026-04-14T08:00']],
    ['cron(0 8 29 2 ? *)', 'UTC', '2026-03-01T00:00Z', ['2028-02-29T08:00', '2032-02-29T08:00']],
    // The clocks of Rome skip from 02:00 to 03:00 on 29 March and show 02:00 to 03:00 twice on 25 October.
    ['cron(0 9 * * ? *)', 'Europe/Rome', '2026-03-28T00:00Z', ['2026-03-28T08:00', '2026-03-29T07:00']],
    ['cron(30 2 * * ? *)', 'Europe/Rome', '2026-03-28T02:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
    ['cron(30 2 * * ? *)', 'Europe/Rome', '2026-10-24T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['at(2026-10-25T02:30:00)', 'Europe/Rome', '2026-03-01T00:00Z', ['2026-10-25T00:30']],
    ['at(2026-07-01T09:00:00)', 'America/New_York', '2026-03-01T00:00Z', ['2026-07-01T13:00']],
  ])('%s in %s', (expression, zone, after, expected) => {
    expect(times(expression, zone, after, 2)).toEqual(expected);
  });

  it.each([
    'rate(1 minutes)',
    'rate(5 minute)',
    'rate(0 minutes)',
    'cron(0 9 * * * *)',
    'cron(0 9 ? * ? *)',
    'cron(60 9 * * ? *)',
    'cron(0 9 * * ?)',
    'at(2026-02-30T09:00:00)',
    'at(2026-03-01 09:00)',
    'every day',
  ])('refuses %s', (expression) => {
    expect(() => recurrence(expression, 'UTC', 0)).toThrow(ServiceError);
  });
});

describe('a schedule', () => {
  it('fires once, on time, on behalf of itself, and is deleted when told to', async () => {
    const { clock, create, delivered, get } = open();
    await create('at(2026-03-01T12:00:00)', {
      ScheduleExpressionTimezone: 'Europe/Rome',
      ActionAfterCompletion: 'DELETE',
    });
    await clock.runUntil(until('2026-03-01T10:59:59Z'));
    expect(delivered).toEqual([]);
    await clock.runUntil(until('2026-03-02T00:00:00Z'));
    expect(delivered).toEqual([
      {
        arn: queue,
        payload: '{"wake":1}',
        source: 'arn:aws:scheduler:eu-south-1:123456789012:schedule/default/one',
        principal: 'scheduler.amazonaws.com',
        role: Target.RoleArn,
        at: '2026-03-01T11:00:00.000Z',
      },
    ]);
    await expect(get()).rejects.toThrow(ResourceNotFoundException);
  });

  it('recurs between its dates, and stays', async () => {
    const { clock, create, delivered, get } = open();
    await create('rate(1 hour)', {
      StartDate: new Date('2026-03-01T12:00:00Z'),
      EndDate: new Date('2026-03-01T14:30:00Z'),
    });
    await clock.runUntil(until('2026-03-02T00:00:00Z'));
    expect(delivered.map(({ at }) => at.slice(11, 16))).toEqual(['12:00', '13:00', '14:00']);
    expect((await get()).State).toBe('ENABLED');
  });

  it('may come anywhere within its flexible window', async () => {
    const { clock, create, delivered } = open(undefined, () => 0.25);
    await create('at(2026-03-01T12:00:00)', {
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 },
    });
    await clock.runUntil(until('2026-03-02T00:00:00Z'));
    expect(delivered.map(({ at }) => at)).toEqual(['2026-03-01T12:15:00.000Z']);
  });

  it('is tried again after a failure, then leaves a dead letter that says why', async () => {
    const attempts: number[] = [];
    const { clock, create, delivered } = open(({ arn }) => {
      if (arn !== queue) return;
      attempts.push(clock.now());
      throw new Error('no answer');
    });
    await create('at(2026-03-01T10:00:00)', {
      Target: { ...Target, RetryPolicy: { MaximumRetryAttempts: 2 }, DeadLetterConfig: { Arn: dead } },
    });
    await clock.runUntil(until('2026-03-01T11:00:00Z'));
    expect(attempts.map((at) => at - until('2026-03-01T10:00:00Z'))).toEqual([0, 750, 2250]);
    expect(delivered).toMatchObject([
      {
        arn: dead,
        payload: '{"wake":1}',
        attributes: {
          ERROR_CODE: 'ERROR_FROM_TARGET',
          ERROR_MESSAGE: 'no answer',
          EXECUTION_TIME: '2026-03-01T10:00:00Z',
          EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
          RETRY_ATTEMPTS: '2',
          SCHEDULE_ARN: 'arn:aws:scheduler:eu-south-1:123456789012:schedule/default/one',
          TARGET_ARN: queue,
        },
      },
    ]);
  });

  it('is not tried again where nothing would change', async () => {
    const { clock, create, delivered } = open(({ arn }) => {
      if (arn === queue) throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    });
    await create('at(2026-03-01T10:00:00)', { Target: { ...Target, DeadLetterConfig: { Arn: dead } } });
    await clock.runUntil(until('2026-03-01T10:00:00Z'));
    expect(delivered.map(({ attributes }) => attributes)).toMatchObject([
      { ERROR_CODE: 'NO_RESOURCE', RETRY_ATTEMPTS: '0' },
    ]);
  });

  it('comes again after a restart, whether it was due or on its way', async () => {
    const { db, clock, create, newId } = open(() => {
      throw new Error('not now');
    });
    await create('at(2026-03-01T10:00:00)');
    await create('at(2026-03-01T12:00:00)', { Name: 'two' });
    await clock.runUntil(until('2026-03-01T10:00:00Z'));
    const later = serviceContext();
    await later.clock.runUntil(until('2026-03-01T13:00:00Z'));
    const names: string[] = [];
    scheduler({ ...later, db, newId, deliver: async ({ source }) => void names.push(source) });
    await later.clock.runUntil(later.clock.now());
    expect(names.map((arn) => arn.split('/').at(-1)).sort()).toEqual(['one', 'two']);
  });

  it('hands a bus an event, and knows of its own execution', async () => {
    const { clock, create, delivered } = open();
    await create('at(2026-03-01T10:00:00)', {
      Target: {
        Arn: 'arn:aws:events:eu-south-1:123456789012:event-bus/hub',
        RoleArn: Target.RoleArn,
        EventBridgeParameters: { DetailType: 'tick', Source: 'clock' },
        Input: '{"at":"<aws.scheduler.scheduled-time>","try":<aws.scheduler.attempt-number>}',
      },
    });
    await clock.runUntil(until('2026-03-01T10:00:00Z'));
    expect(JSON.parse(delivered[0]?.payload ?? '')).toEqual({
      source: 'clock',
      'detail-type': 'tick',
      detail: { at: '2026-03-01T10:00:00Z', try: 1 },
    });
  });

  it('is created once per token, and does not fire while it is disabled', async () => {
    const { clock, create, delivered, get } = open();
    await create('at(2026-03-01T10:00:00)', { ClientToken: 'token', State: 'DISABLED' });
    await create('at(2026-03-01T10:00:00)', { ClientToken: 'token' });
    await expect(create('at(2026-03-01T10:00:00)', { ClientToken: 'other' })).rejects.toThrow(
      ConflictException,
    );
    await clock.runUntil(until('2026-03-01T12:00:00Z'));
    expect(delivered).toEqual([]);
    expect(await get()).toMatchObject({
      State: 'DISABLED',
      ScheduleExpression: 'at(2026-03-01T10:00:00)',
    });
  });

  it.each([
    ['a target without a role', { Target: { ...Target, RoleArn: 'timers' } }],
    ['a window without a length', { FlexibleTimeWindow: { Mode: 'FLEXIBLE' as const } }],
    [
      'a target of another kind',
      { Target: { ...Target, Arn: 'arn:aws:scheduler:::aws-sdk:sqs:purgeQueue' } },
    ],
    ['a zone that is none', { ScheduleExpressionTimezone: 'Europe/Atlantis' }],
    ['an end that is over', { EndDate: new Date('2026-02-01T00:00:00Z') }],
  ])('is refused with %s', async (_, more) => {
    await expect(open().create('rate(1 hour)', more)).rejects.toThrow(
      expect.objectContaining({ name: 'ValidationException' }),
    );
  });
});

describe('groups', () => {
  it('list their schedules in pages', async () => {
    const { client, create } = open();
    await client.send(new CreateScheduleGroupCommand({ Name: 'waits' }));
    for (const Name of ['a1', 'a2', 'a3', 'b1']) await create('rate(1 hour)', { Name, GroupName: 'waits' });
    const list = { GroupName: 'waits', NamePrefix: 'a', MaxResults: 2 };
    const first = await client.send(new ListSchedulesCommand(list));
    const second = await client.send(new ListSchedulesCommand({ ...list, NextToken: first.NextToken }));
    expect([first, second].map(({ Schedules }) => Schedules?.map(({ Name }) => Name))).toEqual([
      ['a1', 'a2'],
      ['a3'],
    ]);
    expect(second.NextToken).toBeUndefined();
    await client.send(new DeleteScheduleCommand({ GroupName: 'waits', Name: 'a3' }));
    const { Schedules } = await client.send(new ListSchedulesCommand({ GroupName: 'waits' }));
    expect(Schedules?.map(({ Name }) => Name)).toEqual(['a1', 'a2', 'b1']);
    await expect(client.send(new ListSchedulesCommand({ GroupName: 'none' }))).rejects.toThrow(
      ResourceNotFoundException,
    );
  });
});
