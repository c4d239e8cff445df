import * as z from 'zod';
import { MOST_RETRIES, OLDEST_SECONDS } from '../eventbridge/retries.ts';
import { ServiceError } from '../protocol/json.ts';
import { isOnce, recurrence } from './expression.ts';

/** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html */
const MOST_INPUT_BYTES = 256 * 1024;

const Target = z.strictObject({
  Arn: z.string(),
  RoleArn: z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/u, 'must be the ARN of a role'),
  Input: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= MOST_INPUT_BYTES, 'must be at most 256 KB')
    .optional(),
  EventBridgeParameters: z
    .strictObject({ DetailType: z.string().min(1).max(128), Source: z.string().min(1).max(256) })
    .optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.int().min(0).max(MOST_RETRIES).optional(),
      MaximumEventAgeInSeconds: z.int().min(60).max(OLDEST_SECONDS).optional(),
    })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
});

/** The input of CreateSchedule; dates are epoch seconds. */
export const Schedule = z.strictObject({
  GroupName: z.string().default('default'),
  ScheduleExpression: z.string().max(256),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  StartDate: z.number().optional(),
  EndDate: z.number().optional(),
  FlexibleTimeWindow: z.strictObject({
    Mode: z.enum(['OFF', 'FLEXIBLE']),
    MaximumWindowInMinutes: z.int().min(1).max(1440).optional(),
  }),
  Target,
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  ActionAfterCompletion: z.enum(['NONE', 'DELETE']).default('NONE'),
  Description: z.string().max(512).optional(),
  KmsKeyArn: z.string().optional(),
  ClientToken: z.string().min(1).max(64).optional(),
});
export type Schedule = z.infer<typeof Schedule>;

const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

/** Parses a schedule and validates its parts against each other. @throws ServiceError `ValidationException`. */
export const scheduleOf = (name: string, body: unknown, now: number): Schedule => {
  const schedule = Schedule.parse(body);
  if (!/^[0-9a-zA-Z-_.]{1,64}$/u.test(name))
    throw invalid(`Invalid schedule name ${name}: up to 64 letters, digits, -, _ and .`);
  const { FlexibleTimeWindow: window, Target: target, StartDate, EndDate } = schedule;
  if ((window.Mode === 'FLEXIBLE') !== (window.MaximumWindowInMinutes !== undefined))
    throw invalid('MaximumWindowInMinutes goes with the flexible time window FLEXIBLE, and with no other.');
  const [, service] = /^arn:aws[\w-]*:(sqs|lambda|events):/u.exec(target.Arn) ?? [];
  if (service === undefined)
    throw invalid(
      `Provided Arn is not in correct format, or is no target of the local runtime: ${target.Arn}`,
    );
  if ((service === 'events') !== (target.EventBridgeParameters !== undefined))
    throw invalid('EventBridgeParameters goes with an event bus as target, and with no other.');
  if (StartDate !== undefined && EndDate !== undefined && StartDate >= EndDate)
    throw invalid('The StartDate you specify must come before the EndDate.');
  if (EndDate !== undefined && EndDate * 1000 <= now)
    throw invalid('The EndDate you specify cannot be in the past.');
  dueAfter(schedule, now, now);
  return schedule;
};

/**
 * The instant at which a schedule is next due, without its flexible window; undefined when it never is again. A time of
 * `at(…)` in the past is due at once, as in EventBridge Scheduler.
 */
export const dueAfter = (schedule: Schedule, after: number, createdAt: number): number | undefined => {
  const { ScheduleExpression: expression, ScheduleExpressionTimezone: zone, StartDate, EndDate } = schedule;
  const start = Math.max(createdAt, (StartDate ?? 0) * 1000);
  const times = recurrence(expression, zone, start);
  if (isOnce(expression)) return times.next(Number.NEGATIVE_INFINITY);
  const next = times.next(Math.max(after, start - 1));
  return next !== undefined && EndDate !== undefined && next > EndDate * 1000 ? undefined : next;
};
