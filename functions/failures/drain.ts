import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import type { ReportedFailure } from '../aws/operations/failure-rows.ts';
import type { Failures } from '../aws/operations/failures.ts';
import { REPLAY_OF } from '../aws/operations/save-failure.ts';
import type { Attempt } from '../contracts/rows/operations.ts';

export interface DrainPorts {
  /** The stage behind a dead-letter queue. */
  readonly stageOf: (queueArn: string) => string | undefined;
  /** Why the last tries of messages failed, by message id. */
  readonly attempts: (messages: readonly string[]) => Promise<ReadonlyMap<string, Attempt>>;
  readonly report: Failures['report'];
  /** How often a queue delivers a message before it moves it to its dead-letter queue. */
  readonly tries: number;
}

/**
 * Stores dead letters as failures. One that cannot be stored stays in its dead-letter queue until the retention is over.
 * Returns the messages to deliver again, each with the reason.
 */
export const drain =
  ({ stageOf, attempts, report, tries }: DrainPorts) =>
  async (records: readonly SQSRecord[]): Promise<ReadonlyMap<string, unknown>> => {
    const failed = new Map<string, unknown>();
    const reasons = await attempts(records.map(({ messageId }) => messageId));
    for (const record of records) {
      try {
        const stage = stageOf(record.eventSourceARN);
        if (stage === undefined)
          throw new HubError(
            'unknown-stage',
            `No stage is known for the dead-letter queue ${record.eventSourceARN}.`,
            { retry: 'later' },
          );
        await report(failureOf(record, stage, reasons.get(record.messageId), tries));
      } catch (error) {
        failed.set(record.messageId, error);
      }
    }
    return failed;
  };

const failureOf = (
  record: SQSRecord,
  stage: string,
  attempt: Attempt | undefined,
  tries: number,
): ReportedFailure => {
  const { messageId: occurrence, body, attributes } = record;
  const base = { stage, occurrence, id: attributeOf(record, REPLAY_OF) };
  if (attributes.DeadLetterQueueSourceArn !== undefined)
    return { ...base, ...(attempt ?? unanswered(tries)), origin: 'dead-letter', tries, payload: body };
  const event = Envelope.safeParse(parsed(body));
  const rule = attributeOf(record, 'RULE_ARN');
  const scheduled = rule === undefined && !event.success && Timed.safeParse(parsed(body)).success;
  const origin = scheduled ? 'schedule' : 'rule';
  const code = attributeOf(record, 'ERROR_CODE') ?? 'no error code';
  const message = attributeOf(record, 'ERROR_MESSAGE') ?? 'It gave no reason.';
  return {
    ...base,
    origin,
    code: origin === 'rule' ? 'rule-delivery-failure' : 'schedule-delivery-failure',
    reason: `${origin === 'rule' ? 'EventBridge' : 'EventBridge Scheduler'} could not put this on the queue of ${stage}: ${code}. ${message}`,
    tries: Number(attributeOf(record, 'RETRY_ATTEMPTS') ?? 0) + 1,
    payload:
      stage === 'record'
        ? partnerMessage(body)
        : event.success
          ? JSON.stringify(messageOfRule(stage, event.data, rule))
          : body,
  };
};

const unanswered = (tries: number): Attempt => ({
  code: 'function-crash',
  reason: `The function ended ${tries} times without an answer: it ran out of time or of memory, or could not be started.`,
});

const attributeOf = ({ messageAttributes }: SQSRecord, name: string): string | undefined =>
  messageAttributes[name]?.stringValue;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** An event of a partner's bus is sent to `record` complete, with its provider. */
const Partner = z.looseObject({
  source: z.string().regex(/^aws\.partner\/(?:appflow\/)?salesforce\.com\//u),
});
const partnerMessage = (body: string): string => {
  const event = Partner.safeParse(parsed(body));
  return event.success ? JSON.stringify({ type: 'event', provider: 'salesforce', event: event.data }) : body;
};

/** Only a schedule sends the end of a wait. */
const Timed = z.looseObject({ timer: z.union([z.number(), z.string()]) });

/** EventBridge puts the event itself into a dead-letter queue, not the rule's input transformation of it. */
const Envelope = z.looseObject({
  'detail-type': z.string(),
  time: z.string(),
  detail: z.looseObject({
    id: z.string().optional(),
    occurredAt: z.string().optional(),
    trigger: z.string().optional(),
    interaction: z.string().optional(),
    channel: z.string().optional(),
    customer: z.looseObject({ profileId: z.string() }),
  }),
});

/** The message that the rule would have sent. */
const messageOfRule = (
  stage: string,
  { 'detail-type': type, time, detail }: z.infer<typeof Envelope>,
  ruleArn = '',
): object => {
  const { id, occurredAt, customer } = detail;
  const address = { profileId: customer.profileId, interaction: id, occurredAt };
  if (stage === 'projections') return projectionMessage(type, time, detail);
  if (stage !== 'decide')
    return type === 'interaction.recorded' ? address : { profileId: customer.profileId };
  const [, trigger, version] =
    /^trigger-(.+)-v(\d+)$/u.exec(ruleArn.slice(ruleArn.lastIndexOf('/') + 1)) ?? [];
  return { trigger, version: Number(version), ...address, arrivedAt: new Date(time).toISOString() };
};

const projectionMessage = (
  event: string,
  time: string,
  {
    id,
    occurredAt,
    customer: { profileId },
    trigger,
    interaction,
    channel = '',
  }: z.infer<typeof Envelope>['detail'],
): object => {
  if (event === 'interaction.recorded') return { event, profileId, interaction: id, occurredAt };
  return trigger === undefined
    ? { event, profileId }
    : { event, profileId, trigger, interaction, channel, at: new Date(time).toISOString() };
};
