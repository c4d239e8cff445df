import type { Assembly } from '../cloudformation/assembly.ts';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import type { Decision } from '../iam/index.ts';
import type { Run } from '../lambda/invocations.ts';
import type { Clock } from '../protocol/clock.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import type { SqsOptions } from '../sqs/index.ts';
import type { ExternalEndpoints } from './external-endpoints.ts';

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
  /** The address of the HTTP API, as providers call it. */
  readonly publicUrl: string;
  /** Where the AWS endpoint listens; queue URLs point there. */
  readonly awsUrl: string;
  /** Duplicates and reorderings of messages and events. */
  readonly chaos?: SqsOptions['chaos'];
  /** Whether the next DynamoDB transaction is cancelled by a conflict. */
  readonly conflict?: () => boolean;
  /** An upper limit for the batching windows of the template, in seconds: Lambda too may invoke earlier. */
  readonly longestWindowSeconds?: number;
  /** Called before a request is answered; an error that it throws reaches the caller as a lost connection. */
  readonly before?: (service: string, operation: string, caller: string) => void;
  readonly onError: (error: unknown) => void;
  /** Called with every decision about a permission. */
  readonly onDecision?: (decision: Decision) => void;
  /** Whether the template's custom resources run once it is deployed; default true. */
  readonly runCustomResources?: boolean;
  /** Called once the services answer, before the template's custom resources run and use them. */
  readonly onService?: (services: { aws(request: AwsRequest): Promise<AwsResponse> }) => void;
}
