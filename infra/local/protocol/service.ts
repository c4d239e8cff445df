import type { DatabaseSync } from 'node:sqlite';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import type { Clock } from './clock.ts';

/** One HTTP request of an AWS client, from a socket or from an in-process handler. */
export interface AwsRequest {
  readonly method: string;
  /** The percent-encoded path, starting with `/`. */
  readonly path: string;
  /** The raw query string without `?`, or an empty string. */
  readonly query: string;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** False if the request came without TLS; 127.0.0.1 counts as TLS. */
  readonly secure?: boolean;
}

export interface AwsResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** The values of `Set-Cookie` headers. */
  readonly cookies?: readonly string[];
}

/** The signer of a request: the access key id of the signature and the ARN of its role. */
interface Caller {
  readonly accessKeyId: string;
  readonly arn: string;
}

/** One AWS service of the local runtime. Its state is in SQLite. */
export interface AwsService {
  /**
   * The name in the signature's credential scope: `dynamodb`, `sqs`, `events`, `scheduler`, `ses`, `sns`, `s3`, `secretsmanager`,
   * `sms-voice`, `lambda`.
   */
  readonly signingName: string;
  /** The API operation of a request (`PutItem`, `SendMessage`, …), for counting, faults and permissions. */
  operation(request: AwsRequest): string;
  handle(request: AwsRequest, caller: Caller): Promise<AwsResponse>;
}

/** A payload that one resource sends to another. */
export interface Delivery {
  /** The target: a queue, a function, a bus, a topic or an object. */
  readonly arn: string;
  /** Text; for an object its bytes in base64. */
  readonly payload: string;
  /** The ARN of the sending resource. */
  readonly source: string;
  /** The sending service, such as `events.amazonaws.com`. */
  readonly principal: string;
  /** Text attributes of the message, if the target is a queue. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The trace header of the call that caused this delivery, with its chain of invocations. */
  readonly trace?: string | undefined;
  /** The role that `principal` assumes; without it the service principal itself is the caller. */
  readonly role?: string;
}

/** Rejects if the target does not exist, does not allow `source`, or fails. The caller retries or dead-letters the delivery. */
export type Deliver = (delivery: Delivery) => Promise<void>;

/** The dependencies of every service. */
export interface ServiceContext {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  /** Uniform in [0, 1), seeded in tests. */
  readonly random: () => number;
  /** A new UUID, deterministic in tests. */
  readonly newId: () => string;
  readonly region: string;
  readonly account: string;
  readonly deliver: Deliver;
  readonly patterns: EventPatterns;
}
