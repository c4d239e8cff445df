import type { Assembly } from '../cloudformation/assembly.ts';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import type { Decision } from '../iam/index.ts';
import type { Run } from '../lambda/invocations.ts';
import type { Clock } from '../protocol/clock.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import type { SendingQuota } from '../ses/quota.ts';
import type { SqsOptions } from '../sqs/index.ts';
import type { ExternalEndpoints } from './external-endpoints.ts';
import type { Faults } from './faults.ts';

export interface CloudOptions {
  readonly assembly: Assembly;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly patterns: EventPatterns;
  /** A SQLite file, or `:memory:`. */
  readonly file: string;
  /** Runs a function with an event. */
  readonly invoke: Run;
  /** Real endpoints in place of local services. */
  readonly externalEndpoints?: ExternalEndpoints;
  /** The public URL of the HTTP API. */
  readonly publicUrl: string;
  /** The addresses and domains that are verified in SES from the beginning. */
  readonly verified?: readonly string[];
  /** What the account may send by SES; default: as one out of the sandbox. */
  readonly mailQuota?: SendingQuota;
  /** The parts of SMS that the account's number sends in a second; default: those of a toll-free number. */
  readonly smsPartsPerSecond?: number | undefined;
  /** The URL of the AWS endpoint, also used in queue URLs. */
  readonly awsUrl: string;
  /** Duplicates and reorderings of messages and events, and faults of the requests that functions make. */
  readonly chaos?: SqsOptions['chaos'] & Faults;
  /** An upper limit for the batching windows of the template, in seconds. Lambda may also invoke earlier. */
  readonly longestWindowSeconds?: number;
  /** Called before a request is answered. If it throws, the caller sees a lost connection. */
  readonly before?: (service: string, operation: string, caller: string) => void;
  readonly onError: (error: unknown) => void;
  /** Called with every decision about a permission. */
  readonly onDecision?: (decision: Decision) => void;
  /** Whether the template's custom resources run after its deployment; default true. */
  readonly runCustomResources?: boolean;
  /** Called when the services are ready, before the template's custom resources use them. */
  readonly onService?: (services: { aws(request: AwsRequest): Promise<AwsResponse> }) => void;
}
