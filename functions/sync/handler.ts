import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { readContacts } from '../../core/crm/check/examination.ts';
import type { Call, CrmConnector } from '../../core/crm/connector.ts';
import type { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { publisher } from '../aws/clients/bus.ts';
import { table } from '../aws/clients/dynamo.ts';
import { eventSource } from '../aws/clients/event-source.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { sendAllTo } from '../aws/clients/queue-many.ts';
import { publishTo } from '../aws/clients/topic.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { jobs } from '../aws/operations/jobs.ts';
import type { CrmMessage } from '../contracts/messages/sync.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { syncStage } from '../contracts/stages/sync.ts';
import { type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { pollChanges } from './changes/poll.ts';
import { announcements } from './connection/announcements.ts';
import { crmBudget } from './connection/budget.ts';
import { type CrmConnection, crmConnection } from './connection/connection.ts';
import { crmClient } from './connection/crm-client.ts';
import { openInAccount } from './connection/open.ts';
import { parkedMessages } from './connection/parked.ts';
import { type Pending, pendingOf } from './connection/pending.ts';
import { type ProbePorts, probe } from './connection/probe.ts';
import { withParkedObjects } from './connection/session.ts';
import { carryOut, type WorkPorts, work } from './connection/work.ts';
import { explain } from './explain.ts';
import { backfills } from './jobs/backfill/begin.ts';
import type { BulkLots } from './jobs/backfill/lot.ts';
import { pauseAfter, secondsUntilOpen } from './jobs/pause.ts';
import { crmJobs } from './jobs/run.ts';
import { useCases } from './use-cases.ts';

const Environment = z.object({
  HUB: z.string(),
  AWS_LAMBDA_FUNCTION_NAME: z.string(),
  QUEUE_URL_SYNC: z.string(),
  QUEUE_ARN_SYNC: z.string(),
  QUEUE_RETENTION_SECONDS: z.coerce.number().positive(),
  /** The queue of probes, whose event source is never switched off. */
  QUEUE_URL_PROBES: z.string(),
  /** The topic of the alarms. */
  ALARM_TOPIC: z.string(),
});

/** The attribute of a probe that the hub has planned; any other is asked for by a person. */
const PLANNED = 'planned';
/** A call ends so long before the function does, so that its end can be recorded. */
const CLOSING_MS = 6000;

/** The function of one CRM. While the CRM cannot be used nothing circulates: see `connection.ts`, `parked.ts` and `probe.ts`. */
export const syncWith = (connector: CrmConnector, lots?: BulkLots) => (runtime: Runtime) => {
  const env = Environment.parse(runtime.env);
  const rows = table(runtime);
  const { id: crm, title } = connector;
  const stage = syncStage(crm, title);
  const sendAll = sendAllTo(runtime, env.QUEUE_URL_SYNC);
  const budget = crmBudget(connector, rows, runtime);
  const callWith = (signal: AbortSignal): Call => budget.callWith(signal, 'probe');
  const client = crmClient(connector, `${env.HUB}/crm/${crm}`, rows, runtime, callWith);
  const cases = useCases(connector, rows, runtime);
  const { mapping, carryOut: use } = cases;
  const connection = crmConnection({
    crm: connector,
    table: rows,
    runtime,
    source: eventSource(runtime, {
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      queueArn: env.QUEUE_ARN_SYNC,
    }),
    probeIn: probesOn(runtime, env.QUEUE_URL_PROBES),
    announce: announcements({
      ...{ crm: connector, runtime, table: rows },
      publish: publisher(runtime),
      alarm: publishTo(runtime, env.ALARM_TOPIC),
    }),
    retentionMs: env.QUEUE_RETENTION_SECONDS * 1000,
    backfillSince: backfills(crm, jobs(runtime, rows), runtime.now),
  });
  const parked = parkedMessages({ crm, stage, table: rows, sendAll, now: runtime.now });
  const why = explain({ connector, client, mapping, callWith });
  const ports: WorkPorts = {
    ...{ crm: connector, client, budget, connection, parked, carryOut: use, explain: why, now: runtime.now },
    async sendBack(pending, delaySeconds) {
      const refused = await sendAll(
        pending.map(({ body, attributes }) => ({ body, attributes, delaySeconds })),
      );
      return new Set(pending.filter((_, position) => refused.has(position)).map(({ id }) => id));
    },
  };
  const runJob = crmJobs({ connector, work: ports, useCases: cases, table: rows, runtime, lots });
  const openFor = { crm: connector, client, connection };
  const probeUntil = ({ signal, hasTime }: Deadline): ReturnType<typeof probe> => {
    const run = { signal, priority: 'probe' } as const;
    const probePorts: ProbePorts = {
      ...{ title, connection, parked, hasTime, now: runtime.now },
      async call(accepted) {
        const { contact } = await mapping();
        if (accepted !== undefined && (await client.openAnew(signal)).account === accepted)
          await connection.accountAccepted(accepted);
        const { accounts } = await connection.read();
        const session = await openInAccount(openFor, accounts, signal, 'openAnew');
        await readContacts(session, contact, callWith(signal));
      },
      explained: (object, fault) => why(object, fault, signal),
      async look(object) {
        client.close();
        const fields = (await mapping()).followed.get(object);
        const { session } = await client.open(signal);
        const at = instant(runtime.now());
        if (fields !== undefined)
          await session.changes?.(object, { fields, from: at, until: at }, callWith(signal));
      },
      async attempt(object, pending) {
        // A session remembers the fields of the object as they were before somebody corrected them.
        client.close();
        const { deferred, answered } = await carryOut(ports, [pending], {
          ...{ ...run, connection: await connection.read(), probed: object },
        });
        return { deferral: deferred.get(pending.id), answered: answered.has(object) };
      },
    };
    return probe(probePorts);
  };

  const poll = async ({ signal, hasTime }: Deadline): Promise<void> => {
    const { accounts } = await connection.read();
    await pollChanges({
      ...{ table: rows, hasTime, pauseAfter: pauseAfter({ connection, client, now: runtime.now }) },
      secondsUntilOpen: (object) => secondsUntilOpen({ connection, now: runtime.now }, object),
      sync: cases.portsOf({
        async open() {
          const session = await openInAccount(openFor, accounts, signal);
          const { parked: stops } = await connection.read();
          return withParkedObjects(session, { parked: stops, onAnswer: () => undefined });
        },
        ...{ call: budget.callWith(signal, 'live'), accounts, parked: new Set<string>() },
      }),
    });
  };

  return middy<QueueEvent<CrmMessage>, QueueResult>()
    .use(queueStack(stage, attempts(runtime, rows)))
    .handler(async ({ messages }, context) => {
      const deadline = deadlineOf(context);
      const failed = new Map<string, unknown>();
      const others: Pending[] = [];
      for (const { id, message, record } of messages) {
        const pending = pendingOf(message, record);
        if (!('probe' in message) && !('job' in message) && !('poll' in message)) {
          others.push(pending);
          continue;
        }
        try {
          if ('job' in message) await runJob(message, context.getRemainingTimeInMillis(), deadline.signal);
          else if ('poll' in message) await poll(deadline);
          else
            await probeUntil(deadline)(message, {
              ...{ message: id, isAsked: pending.attributes[PLANNED] === undefined },
            });
        } catch (error) {
          failed.set(id, error);
        }
      }
      const again: ReadonlyMap<string, HubError> =
        others.length === 0 ? new Map() : await work(ports)(others, deadline.signal);
      return new Map([...failed, ...again]);
    });
};

interface Deadline {
  readonly signal: AbortSignal;
  readonly hasTime: () => boolean;
}

/** Some seconds before Lambda ends the function. */
const deadlineOf = ({ getRemainingTimeInMillis: remaining }: Context): Deadline => ({
  signal: AbortSignal.timeout(Math.max(1, remaining() - CLOSING_MS)),
  hasTime: () => remaining() > CLOSING_MS,
});

const probesOn = (runtime: Runtime, queue: string): CrmConnection['probeIn'] => {
  const send = sendTo(runtime, queue);
  return (delaySeconds, object) =>
    send(
      { probe: true, ...(object !== undefined && { object }) },
      { delaySeconds, attributes: { [PLANNED]: 'true' } },
    );
};
