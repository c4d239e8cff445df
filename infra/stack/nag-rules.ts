import { type App, aws_iam as iam, type Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import * as z from 'zod';

/** Every rule of cdk-nag that the stack does not follow, and why. At most ten. */
export const suppressed: Readonly<Record<string, string>> = {
  'AwsSolutions-APIG4':
    'A webhook proves itself by its signature and an API call by its key; the functions check both, API Gateway can check neither.',
  'AwsSolutions-S1':
    'Only the functions reach the bucket, each by its own role; who must see every access turns on data events of CloudTrail.',
  'AwsSolutions-IAM5':
    'No action has a wildcard. Resources have one behind a prefix of the hub where names are made at run time: objects, secrets (AWS adds six characters), rules of triggers, schedules, devices, and the identities of this account that a template may send from.',
  'AwsSolutions-SMG4':
    'The secrets belong to providers and CRMs, which give them out; those of the hub take several keys at once and are changed by hand.',
  'Serverless-SQSRedrivePolicy': 'The queues without one are the dead-letter queues themselves.',
  'Serverless-LambdaDLQ':
    'No function is invoked asynchronously but the one that CloudFormation waits for: queues have dead letters, callers have an answer.',
  'Serverless-LambdaEventSourceMappingDestination':
    'A source that is an SQS queue cannot have one; the dead letters of the queue are where failed messages go.',
  'Serverless-LambdaTracing':
    'A trace per webhook costs more than the webhook. Interactions carry their ids through logs and rows, and the queues break a trace anyway.',
  'Serverless-SNSRedrivePolicy':
    'Alarms are seen on the dashboard too, and SNS tells the hub of e-mails again for hours before it gives up.',
};

const WILDCARDS = 'AwsSolutions-IAM5';

const Policy = z.object({
  Statement: z.array(
    z.object({ Action: z.unknown(), Resource: z.unknown().transform((resource) => [resource].flat()) }),
  ),
});

/** Checks the stack with the packs AwsSolutions and Serverless when it is synthesised; a finding fails the synthesis. */
export const check = (app: App, stack: Stack): void => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  for (const [id, reason] of Object.entries(suppressed)) Validations.of(stack).acknowledge({ id, reason });
  // cdk-nag takes each wildcard by its name. Those behind a prefix are named here; `*` alone is not, but for SMS, which AWS checks against no resource, and no action is.
  const policies = stack.node.findAll().filter((one) => one instanceof iam.CfnPolicy);
  for (const policy of policies)
    for (const { Action, Resource } of Policy.parse(stack.resolve(policy.policyDocument)).Statement)
      for (const name of Resource.map(flattenCfnReference))
        if (name.includes('*') && (name !== '*' || Action === 'sms-voice:SendTextMessage'))
          Validations.of(policy).acknowledge({
            id: `${WILDCARDS}[Resource::${name}]`,
            reason: suppressed[WILDCARDS] ?? '',
          });
};
