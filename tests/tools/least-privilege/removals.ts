import { statementIdOf } from '../../../infra/local/iam/policy.ts';
import type { Template } from '../../../infra/stack/assembly.ts';

type Properties = Readonly<Record<string, unknown>>;

/** A template without one permission. */
export interface Removal {
  /** The changed statement, as decisions name it: `RecordPolicy[3]`. */
  readonly place: string;
  /** The removed actions: one of several, or all. */
  readonly actions: readonly string[];
  readonly whole: boolean;
  readonly kind: 'identity' | 'resource' | 'trust';
  readonly template: Template;
}

interface PolicyLocation {
  readonly kind: Removal['kind'];
  /** The property with the policy document. */
  readonly key: string;
}

/** Where policy documents are, by resource type. A `Lambda::Permission` is a statement itself. */
export const policyLocations: Readonly<Record<string, PolicyLocation>> = {
  'AWS::IAM::Policy': { kind: 'identity', key: 'PolicyDocument' },
  'AWS::IAM::Role': { kind: 'trust', key: 'AssumeRolePolicyDocument' },
  'AWS::SQS::QueuePolicy': { kind: 'resource', key: 'PolicyDocument' },
  'AWS::SNS::TopicPolicy': { kind: 'resource', key: 'PolicyDocument' },
  'AWS::S3::BucketPolicy': { kind: 'resource', key: 'PolicyDocument' },
  'AWS::KMS::Key': { kind: 'resource', key: 'KeyPolicy' },
};

const isRecord = (value: unknown): value is Properties =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const statementsIn = (document: unknown): unknown[] =>
  isRecord(document) && Array.isArray(document['Statement']) ? document['Statement'] : [];
const actionsOf = (statement: unknown): string[] =>
  isRecord(statement) ? [statement['Action'] ?? []].flat().map(String) : [];

/** A removal for each statement of the template's policies, and for each action of statements with several. */
export const removalsOf = (template: Template): Removal[] =>
  Object.entries(template.Resources).flatMap(([id, resource]) => {
    if (resource.Type === 'AWS::Lambda::Permission') {
      const { [id]: _, ...Resources } = template.Resources;
      const actions = actionsOf(resource.Properties);
      return [
        {
          place: statementIdOf(id, 0),
          actions,
          whole: true,
          kind: 'resource',
          template: { ...template, Resources },
        },
      ];
    }
    const location = policyLocations[resource.Type];
    if (location === undefined) return [];
    const document = resource.Properties[location.key];
    const statements = statementsIn(document);
    const without = (at: number, left: readonly string[]): Template => ({
      ...template,
      Resources: {
        ...template.Resources,
        [id]: {
          ...resource,
          Properties: {
            ...resource.Properties,
            [location.key]: {
              ...(isRecord(document) && document),
              Statement: statements.flatMap((one, other) => {
                if (other !== at) return [one];
                return left.length === 0 ? [] : [{ ...(isRecord(one) && one), Action: left }];
              }),
            },
          },
        },
      },
    });
    return statements.flatMap((statement, at): Removal[] => {
      const actions = actionsOf(statement);
      const common = { place: statementIdOf(id, at), kind: location.kind };
      const whole = { ...common, actions, whole: true, template: without(at, []) };
      if (actions.length < 2) return [whole];
      const each = actions.map((action) => ({
        ...common,
        actions: [action],
        whole: false,
        template: without(
          at,
          actions.filter((one) => one !== action),
        ),
      }));
      return [...each, whole];
    });
  });
