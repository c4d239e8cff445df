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
  /** Where it stands in the template: logical id and position. */
  readonly place: string;
}

const PolicyDocument = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z.union([z.array(z.looseObject({})), z.looseObject({}).transform((one) => [one])]),
});

/** Something that somebody wants to do, as IAM sees it. */
export interface Need {
  /** `service:Operation`. */
  readonly action: string;
  /** An ARN, or `*` where the service knows no resource for the action. */
  readonly resource: string;
  readonly context?: RequestContext;
}

/**
 * The statements of a policy document. Throws, naming `where`, on what this evaluation does not know: nothing in a policy
 * is passed over in silence.
 */
export const statementsOf = (document: unknown, where: string): Statement[] =>
  read(PolicyDocument, document, where).Statement.map((one, at) => {
    const place = `${where}, statement ${at + 1}${typeof one['Sid'] === 'string' ? ` (${one['Sid']})` : ''}`;
    const statement = read(Statement, one, place);
    const variable = JSON.stringify(statement).match(/\$\{[^}]*\}/u);
    if (variable)
      throw new Error(`${place}: the policy variable ${variable[0]} is not known to the local runtime.`);
    return { ...statement, place: placeOf(where, at) };
  });

/** How a statement of a resource is named: `RecordPolicy[3]`. */
export const placeOf = (id: string, at: number): string => `${id}[${at}]`;

const read = <Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `${where}: a policy that the local runtime cannot evaluate:\n${z.prettifyError(parsed.error)}`,
  );
};

/** Whether a statement speaks of a need; its principal is looked at apart. */
export const speaksOf = (statement: Statement, { action, resource, context = {} }: Need): boolean => {
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
