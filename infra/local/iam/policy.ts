import * as z from 'zod';
import { Conditions, conditionsHold, type RequestContext } from './condition.ts';
import { actionMatches, arnMatches } from './match.ts';

const texts = z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat());
const Named = z.strictObject({ AWS: texts.optional(), Service: texts.optional() });
const Principal = z.union([z.literal('*').transform((): z.output<typeof Named> => ({ AWS: ['*'] })), Named]);

const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: Principal.optional(),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: Conditions.optional(),
});
export interface Statement extends z.infer<typeof Statement> {
  /** The logical id of its resource and its position there: `RecordPolicy[3]`. */
  readonly id: string;
}

const PolicyDocument = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z.union([z.array(z.looseObject({})), z.looseObject({}).transform((one) => [one])]),
});

/** A request for access. */
export interface AccessRequest {
  /** `service:Operation`. */
  readonly action: string;
  /** An ARN, or `*` where the service knows no resource for the action. */
  readonly resource: string;
  readonly context?: RequestContext;
}

/**
 * The statements of a policy document of the resource `where`.
 *
 * @throws Error that names `where` for every element that the runtime cannot evaluate.
 */
export const statementsOf = (document: unknown, where: string): Statement[] =>
  parseOrThrow(PolicyDocument, document, where).Statement.map((one, at) => {
    const location = `${where}, statement ${at + 1}${typeof one['Sid'] === 'string' ? ` (${one['Sid']})` : ''}`;
    const statement = parseOrThrow(Statement, one, location);
    const variable = JSON.stringify(statement).match(/\$\{[^}]*\}/u);
    if (variable)
      throw new Error(`${location}: the local runtime does not support the policy variable ${variable[0]}.`);
    return { ...statement, id: statementIdOf(where, at) };
  });

/** The id of a statement: `RecordPolicy[3]`. */
export const statementIdOf = (id: string, at: number): string => `${id}[${at}]`;

const parseOrThrow = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `${where}: a policy that the local runtime cannot evaluate:\n${z.prettifyError(parsed.error)}`,
  );
};

/** Whether a statement applies to a request, apart from its principal. */
export const appliesTo = (
  statement: Statement,
  { action, resource, context = {} }: AccessRequest,
): boolean => {
  const { Action, NotAction, Resource, NotResource, Condition } = statement;
  const named = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => pattern === '*' || arnMatches(pattern, resource));
  return (
    (Action?.some((pattern) => actionMatches(pattern, action)) ?? NotAction !== undefined) &&
    !(NotAction?.some((pattern) => actionMatches(pattern, action)) ?? false) &&
    (Resource === undefined || named(Resource)) &&
    !(NotResource !== undefined && named(NotResource)) &&
    conditionsHold(Condition ?? {}, context)
  );
};
