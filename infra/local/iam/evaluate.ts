import { type AccessRequest, appliesTo, type Statement } from './policy.ts';
import { type PolicyStore, resourceStatements, roleNameOf } from './policy-store.ts';
import type { Refusal } from './refusal.ts';

/** A role in a session, or a service that acts in its own name for a resource. */
export type Actor =
  | { readonly role: string; readonly session: string }
  | { readonly service: string; readonly source: string };

/** The decision about one request for access. */
export interface Decision {
  readonly request: AccessRequest;
  /** The statements that allow it, each of them on its own; none where it is refused. */
  readonly allowedBy: readonly string[];
  readonly refusal?: Refusal;
}

/**
 * Evaluates the policies as AWS does within one account.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export const evaluate = (
  store: PolicyStore,
  account: string,
  actor: Actor,
  request: AccessRequest,
): Decision => {
  const access = inContext(account, actor, request);
  const identity = 'role' in actor ? (store.identity.get(roleNameOf(actor.role)) ?? []) : [];
  const ofIdentity = identity.filter((statement) => appliesTo(statement, access));
  const ofResource = resourceStatements(store, access.resource).filter((one) => appliesTo(one, access));
  const refused = (because: Refusal['because']): Decision => ({
    request,
    allowedBy: [],
    refusal: { ...request, because, caller: callerOf(account, actor) },
  });
  const allowed = (by: readonly Statement[]): Decision => ({
    request,
    allowedBy: by.map(({ id }) => id),
  });
  const matchOf = (statement: Statement) => principalMatch(account, statement, actor);
  if (
    ofIdentity.some(isDenial) ||
    ofResource.some((statement) => isDenial(statement) && matchOf(statement) !== undefined)
  )
    return refused('explicit-deny');
  const allowing = ofResource.filter((statement) => !isDenial(statement));
  const toActor = allowing.filter((statement) => matchOf(statement) === 'actor');
  if (toActor.length > 0) return allowed(toActor);
  if ('service' in actor) return refused('no-resource-policy');
  // Identity policies apply to a key only where the key's own policy delegates to the account.
  const toAccount = allowing.filter((statement) => matchOf(statement) === 'account');
  const isKey = request.action.startsWith('kms:');
  if (isKey && toAccount.length === 0) return refused('no-resource-policy');
  if (ofIdentity.length === 0) return refused('no-identity-policy');
  return allowed(isKey ? [...ofIdentity, ...toAccount] : ofIdentity);
};

/** Whether a role's trust policy allows a service to assume it for the resource `source`. */
export const isTrusted = (
  { trust }: PolicyStore,
  account: string,
  { service, source }: { readonly service: string; readonly source: string },
  roleArn: string,
): boolean => {
  const actor = { service, source };
  const access = inContext(account, actor, { action: 'sts:AssumeRole', resource: roleArn });
  return (trust.get(roleNameOf(roleArn)) ?? []).some(
    (statement) =>
      !isDenial(statement) &&
      principalMatch(account, statement, actor) !== undefined &&
      appliesTo(statement, access),
  );
};

export const isDenial = ({ Effect }: Statement): boolean => Effect === 'Deny';

const callerOf = (account: string, actor: Actor): string =>
  'role' in actor
    ? `arn:aws:sts::${account}:assumed-role/${roleNameOf(actor.role)}/${actor.session}`
    : `${actor.service} (${actor.source})`;

/** Whether a statement's principal is the actor itself, or the account that the actor belongs to. */
const principalMatch = (
  account: string,
  { Principal }: Statement,
  actor: Actor,
): 'actor' | 'account' | undefined => {
  if (Principal === undefined) return undefined;
  if ('service' in actor) return Principal.Service?.includes(actor.service) ? 'actor' : undefined;
  const principals = Principal.AWS ?? [];
  if (principals.some((one) => one === '*' || one === actor.role)) return 'actor';
  const isAccount = principals.some((one) => one === `arn:aws:iam::${account}:root` || one === account);
  return isAccount ? 'account' : undefined;
};

const inContext = (account: string, actor: Actor, access: AccessRequest): AccessRequest => ({
  ...access,
  context: {
    // Requests on the loopback count as TLS.
    'aws:securetransport': ['true'],
    ...('role' in actor
      ? { 'aws:principalarn': [actor.role], 'aws:principalaccount': [account] }
      : { 'aws:sourcearn': [actor.source], 'aws:sourceaccount': [account] }),
    ...access.context,
  },
});
