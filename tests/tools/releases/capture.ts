import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import { bucket } from '../../../functions/aws/clients/bucket.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { hubFunctions } from '../../../infra/scenario/hub/functions.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { CrmRecord, packed, type Release, Schedule } from '../../hub/releases/release.ts';
import { openReleaseHub, START } from '../../hub/releases/release-hub.ts';
import { runStories } from './story.ts';

const HOUR_MS = 3_600_000;
const Batch = z.object({
  Records: z.array(
    z.looseObject({
      messageId: z.string(),
      body: z.string(),
      attributes: z.looseObject({ SentTimestamp: z.coerce.number() }),
      eventSourceARN: z.string(),
    }),
  ),
});

interface Seen {
  readonly queue: string;
  readonly body: string;
  readonly sentAt: number;
  readonly handledAt: number;
}

/** What this release has stored and sent after the stories. */
export const captureRelease = async (): Promise<Omit<Release, 'schemas'>> => {
  const seen: Seen[] = [];
  const clock = { now: (): number => START };
  const hub = await openReleaseHub({
    now: START,
    functions: (...parts) => {
      const invoke = hubFunctions(...parts);
      return (target, event, invocation) => {
        for (const { body, attributes, eventSourceARN } of Batch.safeParse(event).data?.Records ?? [])
          seen.push({
            ...{ queue: eventSourceARN, body, sentAt: attributes.SentTimestamp },
            handledAt: clock.now(),
          });
        return invoke(target, event, invocation);
      };
    },
  });
  clock.now = () => hub.clock.now();
  await runStories(hub);
  const at = hub.clock.now();
  const state = {
    at,
    rows: await scanTable(hub.runtime),
    schedules: await schedulesOf(hub.runtime),
    objects: await objectsOf(hub),
    records: z
      .array(CrmRecord)
      .parse(
        hub.crmRecords.prepare('SELECT crm, object, id, fields FROM sandbox_records ORDER BY serial').all(),
      ),
  };
  await hub.wait(HOUR_MS);
  const queues = new Map(
    [...hub.cloud.created].map(([id, { attributes }]) => [attributes?.['Arn'] ?? '', id]),
  );
  const underWay = seen.filter(({ sentAt, handledAt }) => sentAt <= at && handledAt > at);
  const messages = [...samplesOf(seen.filter(({ handledAt }) => handledAt <= at)), ...underWay].map(
    ({ queue, body }) => ({ queue: queues.get(queue) ?? queue, body }),
  );
  await hub.stop();
  return { ...state, messages: distinct(messages) };
};

const distinct = <Value>(values: readonly Value[]): Value[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];

/** The first two messages of each shape on each queue. */
const samplesOf = (seen: readonly Seen[]): Seen[] => {
  const byShape = new Map<string, Seen[]>();
  for (const one of seen) {
    const shape = `${one.queue} ${shapeOf(JSON.parse(one.body))}`;
    byShape.set(shape, [...(byShape.get(shape) ?? []), one]);
  }
  return [...byShape.values()].flatMap((some) => some.slice(0, 2));
};

const DISCRIMINATORS: ReadonlySet<string> = new Set(['type', 'command', 'event', 'kind']);
const shapeOf = (value: unknown, name = ''): string => {
  if (DISCRIMINATORS.has(name)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${[...new Set(value.map((one) => shapeOf(one)))].sort()}]`;
  if (typeof value !== 'object' || value === null) return typeof value;
  const members = Object.entries(value).map(([key, one]) => `${key}:${shapeOf(one, key)}`);
  return `{${members.sort()}}`;
};

const schedulesOf = async (runtime: Parameters<typeof clientConfig>[0]): Promise<Release['schedules']> => {
  const client = new SchedulerClient(clientConfig(runtime));
  const { Schedules = [] } = await client.send(new ListSchedulesCommand({}));
  const found: Release['schedules'][number][] = [];
  for (const { Name, GroupName } of Schedules) {
    const one = await client.send(new GetScheduleCommand({ Name, GroupName }));
    const { ScheduleExpression, FlexibleTimeWindow, Target, ActionAfterCompletion } = one;
    found.push(
      Schedule.parse({
        Name,
        GroupName,
        ScheduleExpression,
        FlexibleTimeWindow,
        Target,
        ActionAfterCompletion,
      }),
    );
  }
  return found;
};

const objectsOf = async ({
  runtime,
  cloud,
}: Awaited<ReturnType<typeof openReleaseHub>>): Promise<Release['objects']> => {
  const [BUCKET] = [...cloud.functions.values()].flatMap(({ environment }) => environment['BUCKET'] ?? []);
  const files = bucket({ ...runtime, env: { ...runtime.env, ...(BUCKET !== undefined && { BUCKET }) } });
  const found: Release['objects'][number][] = [];
  for (const { key } of await files.list('', '')) {
    const bytes = (await files.get(key)) ?? Buffer.of();
    found.push({ key, body: packed(bytes) });
  }
  return found;
};
