import type { DatabaseSync } from 'node:sqlite';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import type { Clock } from './clock.ts';

/** One HTTP request as an AWS client sends it, whatever carried it (a socket or an in-process handler). */
export interface AwsRequest {
  readonly method: string;
  /** The path alone, still percent-encoded, starting with `/`. */
  readonly path: string;
  /** The raw query string without `?`, or an empty string. */
  readonly query: string;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** False where the request came without TLS; the loopback counts as TLS. */
  readonly secure?: boolean;
}

export interface AwsResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Each becomes a `Set-Cookie` of its own. */
  readonly cookies?: readonly string[];
}

/** Who signed a request: the access key id in its signature and the ARN of the role that key belongs to. */
interface Caller {
  readonly accessKeyId: string;
  readonly arn: string;
}

/** One AWS service of the local runtime: request in, response out, state in SQLite. */
export interface AwsService {
  /** The name in the signature's credential scope: `dynamodb`, `sqs`, `events`, `scheduler`, `ses`, `sns`, `s3`, `secretsmanager`, `sms-voice`. */
  readonly signingName: string;
  /** The API operation that a request asks for (`PutItem`, `SendMessage`, …), for counting, faults and permissions. */
  operation(request: AwsRequest): string;
  handle(request: AwsRequest, caller: Caller): Promise<AwsResponse>;
}

/** A payload that one resource sends to another. */
export interface Delivery {
  /** The target: a queue, a function, a bus, a topic or an object. */
  readonly arn: string;
  /** A text; of an object its bytes in base64. */
  readonly payload: string;
  /** The ARN of the resource that sends. */
  readonly source: string;
  /** The service that sends, such as `events.amazonaws.com`. */
  readonly principal: string;
  /** Text attributes of the message, where the target is a queue. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The trace header of the call that caused this; it carries the chain of invocations. */
  readonly trace?: string | undefined;
  /** The role that `principal` assumes; without one it acts in its own name. */
  readonly role?: string;
}

/** Rejects when the target does not exist, does not allow `source`, or fails; the caller retries or dead-letters. */
export type Deliver = (delivery: Delivery) => Promise<void>;

/** The environment of every service. */
export interface ServiceContext {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  /** Uniform in [0, 1), seeded in tests. */
  readonly random: () => number;
  /** A fresh unique id (UUID form), deterministic in tests. */
  readonly newId: () => string;
  readonly region: string;
  readonly account: string;
  readonly deliver: Deliver;
  readonly patterns: EventPatterns;
}
