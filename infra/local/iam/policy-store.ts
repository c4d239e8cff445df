import type { AccessRequest, Statement } from './policy.ts';

/** The policies of a deployed template, by the resource or the role that they belong to. */
export interface PolicyStore {
  /** Statements of identity policies, by the name of the role. */
  readonly identity: Map<string, readonly Statement[]>;
  /** Statements of trust policies, by the name of the role. */
  readonly trust: Map<string, readonly Statement[]>;
  /** Statements of resource policies, by the ARN of the resource. */
  readonly resource: Map<string, readonly Statement[]>;
  /** Customer-managed keys, by the ARN of what they encrypt. */
  readonly keys: Map<string, string>;
  /** Names of partition keys, by the ARN of the table. */
  readonly partitionKeys: Map<string, string>;
  /** ARNs of execution roles, by the name of the function. */
  readonly functionRoles: Map<string, string>;
}

export const policyStore = (): PolicyStore => ({
  identity: new Map(),
  trust: new Map(),
  resource: new Map(),
  keys: new Map(),
  partitionKeys: new Map(),
  functionRoles: new Map(),
});

export const addStatements = (
  to: Map<string, readonly Statement[]>,
  key: string,
  statements: readonly Statement[],
): void => {
  to.set(key, [...(to.get(key) ?? []), ...statements]);
};

/** The statements of a resource's policy; objects have that of their bucket. */
export const resourceStatements = (
  { resource }: PolicyStore,
  arn: AccessRequest['resource'],
): readonly Statement[] =>
  resource.get(arn) ?? resource.get(arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/su, '$1')) ?? [];

/** The name at the end of a role's ARN. */
export const roleNameOf = (roleArn: string): string => roleArn.split('/').at(-1) ?? roleArn;
