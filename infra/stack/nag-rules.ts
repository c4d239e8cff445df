import { type App, aws_iam as iam, type Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import * as z from 'zod';

/** The rules of cdk-nag that the stack does not follow, with the reason. At most ten. */
export const suppressed: Readonly<Record<string, string>> = {
  'AwsSolutions-APIG4':
    'Webhooks are authenticated by their signature and API calls by their key. The functions verify both; API Gateway can verify neither.',
  'AwsSolutions-S1':
    'Only the functions access the bucket, each with its own role. CloudTrail data events can log every access where that is required.',
  'AwsSolutions-IAM5':
    'No action has a wildcard. Resources have one after a prefix of the hub where names are created at run time: objects, secrets (AWS appends six characters), rules of triggers, schedules, devices, event source mappings, and the SES identities of the account.',
  'AwsSolutions-SMG4':
    'Providers and CRMs issue the secrets. Those of the hub accept several keys at once and are rotated manually.',
  'Serverless-SQSRedrivePolicy': 'The queues without one are the dead-letter queues themselves.',
  'Serverless-LambdaDLQ':
    'No function is invoked asynchronously except the custom resource, for which CloudFormation waits. Queues have dead-letter queues, and API callers get the error.',
  'Serverless-LambdaEventSourceMappingDestination':
    'An SQS event source cannot have a destination; failed messages go to the dead-letter queue.',
  'Serverless-LambdaTracing':
    'A trace per webhook costs more than the webhook itself. Ids in logs and rows connect the steps, and queues interrupt a trace anyway.',
  'Serverless-SNSRedrivePolicy':
    'Alarms are shown on the dashboard as well, and SNS retries the webhook for e-mail events for hours.',
};

const WILDCARDS = 'AwsSolutions-IAM5';
/** Actions that AWS checks against no resource. */
const WITHOUT_RESOURCE: ReadonlySet<string> = new Set([
  'sms-voice:SendTextMessage',
  'lambda:ListEventSourceMappings',
  'events:ListRules',
  'sns:DeleteEndpoint',
  'ses:GetSendQuota',
]);

const Policy = z.object({
  Statement: z.array(
    z.object({
      // CDK joins statements about the same resources into one of several actions.
      Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()),
      Resource: z.unknown().transform((resource) => [resource].flat()),
    }),
  ),
});

/** Checks the stack with the rules AwsSolutions and Serverless during synthesis; a finding fails the synthesis. */
export const addChecks = (app: App, stack: Stack): void => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  for (const [id, reason] of Object.entries(suppressed)) Validations.of(stack).acknowledge({ id, reason });
  // cdk-nag wants each wildcard acknowledged by name. Wildcards after a prefix are acknowledged here; `*` alone only for actions without a resource.
  const policies = stack.node.findAll().filter((one) => one instanceof iam.CfnPolicy);
  for (const policy of policies)
    for (const { Action, Resource } of Policy.parse(stack.resolve(policy.policyDocument)).Statement)
      for (const name of Resource.map(flattenCfnReference))
        if (name.includes('*') && (name !== '*' || Action.every((one) => WITHOUT_RESOURCE.has(one))))
          Validations.of(policy).acknowledge({
            id: `${WILDCARDS}[Resource::${name}]`,
            reason: suppressed[WILDCARDS] ?? '',
          });
};
