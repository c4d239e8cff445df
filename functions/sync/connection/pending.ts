import type { SQSRecord } from 'aws-lambda';
import type { CrmMessage } from '../../contracts/messages/sync.ts';

/** The message attribute that carries when a message was queued first, in epoch milliseconds. */
export const QUEUED_AT = 'queuedAt';

/** A message of a CRM's queue, or one that waits for a parked object. */
export interface Pending<Message = CrmMessage> {
  /** Of the queue message, or of the parked one. */
  readonly id: string;
  readonly message: Message;
  readonly body: string;
  /** Its message attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** How often it was received. */
  readonly receives: number;
  /** What tells a failure of it from an earlier one; default its id. */
  readonly occurrence?: string;
}

/** A message as SQS delivers it; it carries its first time of queueing from now on. */
export const pendingOf = <Message>(message: Message, record: SQSRecord): Pending<Message> => {
  const own = Object.entries(record.messageAttributes).flatMap(([name, { stringValue }]) =>
    stringValue === undefined ? [] : [[name, stringValue] as const],
  );
  return {
    ...{ id: record.messageId, message, body: record.body },
    attributes: { [QUEUED_AT]: record.attributes.SentTimestamp, ...Object.fromEntries(own) },
    receives: Number(record.attributes.ApproximateReceiveCount),
  };
};
