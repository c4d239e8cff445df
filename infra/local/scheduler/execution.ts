import { afterFailure, deliveryFault } from '../eventbridge/retries.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import type { Schedule } from './definition.ts';
import type { Execution, SchedulerStore } from './store.ts';

/** Delivers an execution once; after a failure plans the next attempt with `retry`, or sends a dead letter. */
export const attemptExecution = async (
  context: ServiceContext,
  store: SchedulerStore,
  id: string,
  retry: (id: string) => Promise<void>,
): Promise<void> => {
  const { clock, random, deliver } = context;
  const execution = store.execution(id);
  if (execution === undefined) return;
  const { Target: target } = execution.schedule;
  const source = arnOf(context, execution);
  const input = inputOf(context, execution, source);
  const by = { source, principal: 'scheduler.amazonaws.com', role: target.RoleArn };
  try {
    await deliver({ arn: target.Arn, payload: payloadFor(target, input), ...by });
    end(context, store, execution);
  } catch (error) {
    const { attempts, since } = execution;
    const next = afterFailure(target.RetryPolicy, { attempts, since, now: clock.now() }, random);
    if (!deliveryFault(error).final && 'at' in next) {
      store.retryAt(id, next.at);
      clock.at(next.at, () => retry(id));
      return;
    }
    const exhausted = 'exhausted' in next ? next.exhausted : undefined;
    // The execution ends after its dead letter is sent, so that a crash between the two loses nothing.
    try {
      const { arn, attributes } = deadLetter(execution, source, error, exhausted);
      await deliver({ arn, payload: input, ...by, attributes });
    } finally {
      end(context, store, execution);
    }
  }
};

const arnOf = ({ region, account }: ServiceContext, { group, name }: Execution): string =>
  `arn:aws:scheduler:${region}:${account}:schedule/${group}/${name}`;

const timeOf = (instant: number): string => new Date(instant).toISOString().replace(/\.\d{3}Z$/u, 'Z');

/** Ends an execution. Removes its schedule where that was its last one and it is to be deleted. */
const end = ({ db }: ServiceContext, store: SchedulerStore, { id, group, name }: Execution): void =>
  transaction(db, () => {
    store.end(id);
    const stored = store.find(group, name);
    if (stored && stored.due === undefined && stored.schedule.ActionAfterCompletion === 'DELETE')
      store.remove(group, name);
  });

/** @throws Error where the schedule has no dead-letter queue. */
const deadLetter = (
  { id, name, schedule, attempts, scheduledAt }: Execution,
  source: string,
  error: unknown,
  exhausted: string | undefined,
): { readonly arn: string; readonly attributes: Record<string, string> } => {
  const { Target: target } = schedule;
  const fault = deliveryFault(error);
  const arn = target.DeadLetterConfig?.Arn;
  if (arn === undefined)
    throw new Error(
      `Schedule ${name} was lost after ${attempts} retries (${fault.message}): it has no dead-letter queue.`,
      { cause: error },
    );
  const attributes = {
    ERROR_CODE: fault.code,
    ERROR_MESSAGE: fault.message,
    EXECUTION_ID: id,
    EXECUTION_TIME: timeOf(scheduledAt),
    ...(!fault.final && exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    IS_PAYLOAD_TRUNCATED: 'false',
    RETRY_ATTEMPTS: String(attempts),
    SCHEDULE_ARN: source,
    TARGET_ARN: target.Arn,
  };
  return { arn, attributes };
};

/** The input of a target: the schedule's own with its `<aws.scheduler.…>` keywords replaced, or an event. */
const inputOf = (
  { region, account }: ServiceContext,
  { id, schedule, scheduledAt, attempts }: Execution,
  source: string,
): string => {
  const time = timeOf(scheduledAt);
  const event = {
    ...{ version: '0', id, 'detail-type': 'Scheduled Event', source: 'aws.scheduler', account, time, region },
    ...{ resources: [source], detail: '{}' },
  };
  const keywords: Readonly<Record<string, string>> = {
    'schedule-arn': source,
    'scheduled-time': time,
    'execution-id': id,
    'attempt-number': String(attempts + 1),
  };
  return (schedule.Target.Input ?? JSON.stringify(event)).replace(
    /<aws\.scheduler\.([a-z-]+)>/gu,
    (whole, name: string) => keywords[name] ?? whole,
  );
};

/** A bus receives an event without its envelope; every other target receives the input. */
const payloadFor = ({ EventBridgeParameters: event }: Schedule['Target'], input: string): string =>
  event === undefined
    ? input
    : JSON.stringify({ source: event.Source, 'detail-type': event.DetailType, detail: JSON.parse(input) });
