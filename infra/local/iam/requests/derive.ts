import * as z from 'zod';
import type { AwsRequest } from '../../protocol/service.ts';
import type { AccessRequest } from '../policy.ts';

/** The facts about the account that name the resources of a request. */
export interface KnownResources {
  readonly region: string;
  readonly account: string;
  /** The full ARN of a secret, with the six characters that Secrets Manager adds, by its name or ARN. */
  readonly secretArn: (id: string) => string | undefined;
  /** The ARN of the function of an event source mapping, by the mapping's id. */
  readonly functionOfSource: (id: string) => string | undefined;
  /** The customer-managed key that encrypts a table or a bucket. */
  readonly keyOf: (arn: string) => string | undefined;
  /** The name of a table's partition key. */
  readonly partitionKeyOf: (arn: string) => string | undefined;
}

export type Input = Readonly<Record<string, unknown>>;
export type Derive = (
  input: Input,
  operation: string,
  known: KnownResources,
  request: AwsRequest,
) => AccessRequest[];

export const arn = ({ region, account }: KnownResources, service: string, rest: string): string =>
  `arn:aws:${service}:${region}:${account}:${rest}`;
const fields = z.record(z.string(), z.unknown());
export const record = (value: unknown): Input => fields.safeParse(value).data ?? {};
export const records = (value: unknown): Input[] => (Array.isArray(value) ? value.map(record) : []);
export const text = (value: unknown, otherwise = ''): string =>
  typeof value === 'string' ? value : otherwise;

/** The access to a customer-managed key through the service whose resource it encrypts. */
export const throughKey = (
  known: KnownResources,
  service: string,
  own: string,
  actions: readonly string[],
): AccessRequest[] => {
  const key = known.keyOf(own);
  if (key === undefined) return [];
  const context = {
    'kms:viaservice': [`${service}.${known.region}.amazonaws.com`],
    'kms:calleraccount': [known.account],
  };
  return actions.map((action) => ({ action, resource: key, context }));
};
