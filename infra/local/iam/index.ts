import type { Created } from '../cloudformation/template.ts';
import { type Actor, type Decision, evaluate, isDenial, isTrusted } from './evaluate.ts';
import { type AccessRequest, appliesTo } from './policy.ts';
import { policyStore, resourceStatements } from './policy-store.ts';
import type { Refusal } from './refusal.ts';
import { observeResource } from './template-policies.ts';

export type { Decision } from './evaluate.ts';

export interface PermissionsOptions {
  readonly region: string;
  readonly account: string;
  readonly onDecision: (decision: Decision) => void;
}

export interface Permissions {
  /** Reads the policies of a created resource. @throws PermissionError where AWS would refuse to create it. */
  observe(type: string, id: string, properties: unknown, created: Created): void;
  /** The reason why an actor may not do what it requests; undefined where it may. */
  refusal(actor: Actor, request: AccessRequest): Refusal | undefined;
  /** Whether an actor may do something that it has not requested; the decision is not reported. */
  allows(actor: Actor, request: AccessRequest): boolean;
  /** Whether a role's trust policy allows a service to assume it for the resource `source`. */
  mayAssume(service: string, source: string, roleArn: string): boolean;
  /** The explicit denial in a resource's policy, which applies to the account's administrator too. */
  denial(request: AccessRequest): Refusal | undefined;
  /** The customer-managed key that encrypts a table, a bucket, a queue or a topic. */
  keyOf(arn: string): string | undefined;
  /** The name of a table's partition key. */
  partitionKeyOf(arn: string): string | undefined;
  /** The refusals of functions that cannot write their logs. Such functions run without logs, as in Lambda. */
  readonly unlogged: readonly Refusal[];
}

/** The policies of a deployed template. */
export const permissions = ({ region, account, onDecision }: PermissionsOptions): Permissions => {
  const store = policyStore();
  const unlogged: Refusal[] = [];
  const refusal = (actor: Actor, request: AccessRequest): Refusal | undefined => {
    const decision = evaluate(store, account, actor, request);
    onDecision(decision);
    return decision.refusal;
  };
  const mayAssume = (service: string, source: string, roleArn: string): boolean =>
    isTrusted(store, account, { service, source }, roleArn);
  const context = {
    ...{ store, region, account, refusal, mayAssume },
    onUnlogged: (one: Refusal) => void unlogged.push(one),
  };
  return {
    observe: (type, id, properties, created) => observeResource(context, type, id, properties, created),
    refusal,
    mayAssume,
    allows: (actor, request) => evaluate(store, account, actor, request).refusal === undefined,
    denial(request) {
      const denying = resourceStatements(store, request.resource).filter(
        (statement) => isDenial(statement) && appliesTo(statement, request),
      );
      if (denying.length === 0) return undefined;
      onDecision({ request, allowedBy: denying.map(({ id }) => id) });
      return { ...request, caller: `arn:aws:iam::${account}:root`, because: 'explicit-deny' };
    },
    partitionKeyOf: (arn) => store.partitionKeys.get(arn),
    keyOf: (arn) => store.keys.get(arn),
    unlogged,
  };
};
