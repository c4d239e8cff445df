/** An answer of an AWS service that it did not do what was requested. `name` is the service's own, such as `ThrottlingException`. */
export class AwsRefusal extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  constructor(service: string, status: number, name: string, message: string) {
    super(`${service} answered ${status} ${name}: ${message}`);
    this.name = name;
    this.$metadata = { httpStatusCode: status };
  }
}

/**
 * Whether an error is the refusal of an AWS service, of one of these names where any are given. True for `AwsRefusal` and for
 * the exceptions of the SDK, which both carry the service's name for the error and `$metadata`.
 */
export const isAwsRefusal = (error: unknown, ...names: readonly string[]): error is Error =>
  error instanceof Error && '$metadata' in error && (names.length === 0 || names.includes(error.name));

/** The names that AWS services have for a throttled request. */
const THROTTLED = /Throttl|^(?:ProvisionedThroughputExceeded|TooManyRequests|RequestLimitExceeded|SlowDown)/u;

/** Whether a service may do the same request a moment later: it throttles, or it failed itself. */
export const isTransient = (error: unknown): boolean => {
  if (!isAwsRefusal(error)) return false;
  const status = refusalStatus(error) ?? 0;
  return status >= 500 || status === 429 || THROTTLED.test(error.name);
};

/** The HTTP status of a refusal; undefined where no answer came or the error is none of AWS. */
export const refusalStatus = (error: unknown): number | undefined => {
  if (!isAwsRefusal(error)) return undefined;
  const metadata: unknown = Reflect.get(error, '$metadata');
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  return typeof status === 'number' ? status : undefined;
};
