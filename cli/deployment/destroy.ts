import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { isAwsRefusal } from '../../functions/aws/clients/refusal.ts';
import { type SignedCalls, signedCalls } from '../../functions/aws/clients/signed.ts';
import type { Template } from '../../infra/stack/assembly.ts';
import { assembly } from '../../infra/stack/assembly.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { type StackResource, stackResources } from './cost/measure.ts';

export const usage = `Usage: hub destroy --dry-run

Shows what stays in the account and what goes when the stack is deleted. Deletes nothing itself: \`npx cdk destroy\` does, and
docs/admin.md says how to delete the rest.

AWS_REGION and the AWS credentials of the shell select the account.`;

/** `hub destroy` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  if (!values['dry-run'])
    throw badArguments('Add --dry-run to see what stays and what goes. `npx cdk destroy` deletes the stack.');
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (region === undefined)
    throw new HubError('missing-aws-account', 'Set AWS_REGION and the AWS credentials of the account.', {
      retry: 'never',
    });
  const hub = HubConfig.parse(readSeed().hub);
  const { template } = await assembly();
  const aws = signedCalls({ env: { ...process.env, AWS_REGION: region }, random: Math.random });
  for (const line of await destructionLines(aws, hub, template)) console.log(line);
  return 0;
};

const Retained = z.looseObject({ DeletionPolicy: z.string().optional() });
const Secrets = z.looseObject({
  SecretList: z.array(z.looseObject({ Name: z.string() })).default([]),
  NextToken: z.string().optional(),
});

/** What each type of resource that stays is for the one who pays for it. */
const meanings: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table':
    'table, protected against deletion; AWS keeps its backups for 35 days after it is deleted',
  'AWS::S3::Bucket': 'bucket with attachments, long texts and raw deliveries',
  'AWS::KMS::Key': 'key that encrypts them; nothing can be read without it',
  'AWS::SecretsManager::Secret': 'secret',
  'AWS::Logs::LogGroup': 'log group',
};

/**
 * What stays when the stack of a hub is deleted, and what goes: by the template of this working copy and by the resources that
 * the account has. Rejects with `HubError` `unknown-stack` (never).
 */
export const destructionLines = async (
  aws: Pick<SignedCalls, 'query' | 'json'>,
  { name, table }: Pick<HubConfig, 'name' | 'table'>,
  template: Pick<Template, 'Resources'>,
): Promise<string[]> => {
  const stack = `tributary-${name}`;
  const resources = await stackResources(aws, stack).catch((error: unknown) => {
    if (!isAwsRefusal(error)) throw error;
    throw new HubError(
      'unknown-stack',
      `CloudFormation does not show the stack ${stack} (${error.name}). Check that AWS_REGION is the region of the hub.`,
      { retry: 'never', cause: error },
    );
  });
  const isRetained = ({ logicalId }: StackResource): boolean => {
    const policy = Retained.safeParse(template.Resources[logicalId]).data?.DeletionPolicy;
    return policy === 'Retain' || policy === 'RetainExceptOnCreate';
  };
  const stays = resources.filter(isRetained);
  const own = new Set(
    resources.filter(({ type }) => type.endsWith('::Secret')).map(({ physicalId }) => physicalId),
  );
  const besides = (await secretsOf(aws, name)).filter(
    (name) => ![...own].some((id) => id.includes(`:${name}-`) || id === name),
  );
  const goes = Map.groupBy(
    resources.filter((one) => !isRetained(one)),
    ({ type }) => type,
  );
  return [
    `Stays when ${stack} is deleted:`,
    ...stays.map(({ type, physicalId }) => `  ${physicalId}  ${meanings[type] ?? type}`),
    ...(table === undefined ? [] : [`  ${table}  table that the hub uses, restored from its own`]),
    ...besides.map((name) => `  ${name}  secret that was not made by the stack`),
    'Goes:',
    ...[...goes]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([type, { length }]) => `  ${length} × ${type}`),
    '  the rules of triggers on the bus, and the archive of the bus with its events',
  ];
};

const secretsOf = async (aws: Pick<SignedCalls, 'json'>, hub: string): Promise<string[]> => {
  const found: string[] = [];
  let next: string | undefined;
  do {
    const page = Secrets.parse(
      await aws.json('secretsmanager', 'ListSecrets', {
        Filters: [{ Key: 'name', Values: [`${hub}/`] }],
        ...(next !== undefined && { NextToken: next }),
      }),
    );
    found.push(...page.SecretList.map(({ Name }) => Name));
    next = page.NextToken;
  } while (next !== undefined);
  return found;
};
