/** A function of the template, as its deployment has configured it. */
export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** The S3 key of its code. */
  readonly code: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** Whether `RecursiveLoop` is `Allow`. */
  readonly mayLoop: boolean;
  /** The function's own dead-letter queue. */
  readonly deadLetterArn?: string | undefined;
  /** The destination of asynchronous invocations that failed for good. */
  readonly onFailure?: string | undefined;
  /** Retries and age of asynchronous events; Lambda's own limits where they are absent. */
  readonly eventRetries?: number | undefined;
  readonly eventAgeSeconds?: number | undefined;
}

/** The mapping of a queue to a function. */
export interface EventSource {
  readonly queueArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly maximumConcurrency: number;
}
