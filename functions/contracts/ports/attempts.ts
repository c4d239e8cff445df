import type { SQSRecord } from 'aws-lambda';

/** Stores why a try of a message failed, so that the failure can say so if the queue gives up. */
export type NoteAttempt = (message: SQSRecord, error: unknown) => Promise<void>;
