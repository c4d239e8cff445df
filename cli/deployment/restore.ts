import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  RestoreTableToPointInTimeCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { isAwsRefusal } from '../../functions/aws/clients/refusal.ts';
import { signedCalls } from '../../functions/aws/clients/signed.ts';
import { eraseAgain } from '../../functions/aws/erasure/erase-again.ts';
import { erasures } from '../../functions/aws/erasure/erasures.ts';
import { hashedKeysLoader } from '../../functions/aws/erasure/hashed-keys.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { stackResources } from './cost/measure.ts';

export const usage = `Usage: hub restore --to TIME [--table NAME] [--from NAME] [--dry-run]

Restores the table of the hub as it was at TIME (ISO 8601, such as 2026-03-02T09:00:00Z) into a new table, erases there
everybody who was erased since, and copies their hashed keys, the erasures and the receipts. The table of the hub is not
changed. An interrupted run continues when it is repeated. \`table: NAME\` in hub.yaml and a deployment let the hub use it.

  --to TIME      a second of the last 35 days
  --table NAME   the name of the new table; default the name of the present one with -restored- and the time
  --from NAME    the table of the hub; default the one that hub.yaml names, else that of its stack
  --dry-run      shows what would be restored; writes nothing

AWS_REGION and the AWS credentials of the shell select the account.`;

type Runtime = Parameters<typeof hashedKeysLoader>[0];

interface Restoration {
  readonly source: string;
  readonly target: string;
  /** Epoch milliseconds; a whole second. */
  readonly to: number;
  readonly dryRun: boolean;
}

/** `hub restore` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      to: { type: 'string' },
      table: { type: 'string' },
      from: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const to = Math.floor(Date.parse(values.to ?? '') / 1000) * 1000;
  if (Number.isNaN(to)) throw badArguments('--to takes a time with its zone, such as 2026-03-02T09:00:00Z.');
  const { name, table: named } = HubConfig.parse(readSeed().hub);
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (region === undefined)
    throw new HubError('missing-aws-account', 'Set AWS_REGION and the AWS credentials of the account.', {
      retry: 'never',
    });
  const runtime: Runtime = {
    env: { ...process.env, AWS_REGION: region, HUB: name },
    now: Date.now,
    newId: () => crypto.randomUUID(),
    random: Math.random,
    sleep: async (ms) => {
      await setTimeout(ms);
    },
  };
  const source = values.from ?? named ?? (await tableOfStack(runtime, `tributary-${name}`));
  const target = values.table ?? `${source}-restored-${instant(to).replace(/\D/gu, '').slice(0, 14)}`;
  for await (const line of restore(runtime, { source, target, to, dryRun: values['dry-run'] }))
    console.log(line);
  return 0;
};

const tableOfStack = async (runtime: Runtime, stack: string): Promise<string> => {
  const resources = await stackResources(signedCalls(runtime), stack).catch((error: unknown) => {
    if (!isAwsRefusal(error)) throw error;
    throw new HubError(
      'unknown-stack',
      `CloudFormation does not show the stack ${stack} (${error.name}). Check that AWS_REGION is the region of the hub, or name its table with --from.`,
      { retry: 'never', cause: error },
    );
  });
  const [found] = resources.filter(({ type }) => type === 'AWS::DynamoDB::Table');
  if (found === undefined)
    throw new HubError('unknown-stack', `The stack ${stack} has no table. Name it with --from.`, {
      retry: 'never',
    });
  return found.physicalId;
};

/**
 * Restores a table and yields what was done, line by line. Rejects with `HubError` `unrestorable-time`, `erased-people-left`
 * (never), or what DynamoDB answers.
 */
export async function* restore(
  runtime: Runtime,
  { source, target, to, dryRun }: Restoration,
): AsyncGenerator<string> {
  const client = new DynamoDBClient(clientConfig(runtime));
  const current = table({ ...runtime, env: { ...runtime.env, TABLE: source } });
  const restored = table({ ...runtime, env: { ...runtime.env, TABLE: target } });
  const restoredTo = instant(to);
  const status = await statusOf(client, target);
  if (status === undefined) await expectRestorable(client, source, to);
  const since = (await erasures(current).list()).filter(({ askedAt }) => askedAt > restoredTo);
  yield `${source} as it was at ${restoredTo} → ${target}${status === undefined ? '' : ', which exists already'}`;
  yield `${since.length} erasures were requested since; they are applied again.`;
  if (dryRun) {
    yield 'This was a dry run: nothing was written.';
    return;
  }
  if (status === undefined)
    await client.send(
      new RestoreTableToPointInTimeCommand({
        ...{ SourceTableName: source, TargetTableName: target },
        RestoreDateTime: new Date(to),
      }),
    );
  while ((await statusOf(client, target)) !== 'ACTIVE') await runtime.sleep?.(POLL_MS);
  yield `${target} is restored.`;
  await protect(client, target);
  yield 'It has time to live, point-in-time recovery and protection against deletion, which a restored table lacks.';
  const loadHashedKeys = hashedKeysLoader(runtime);
  const count = await eraseAgain({ current, restored, restoredTo }, { loadHashedKeys, runtime });
  yield `${count} source profiles of erased people were erased again; none is left.`;
  yield `The hub still uses ${source}. To let it use the restored table, write \`table: ${target}\` into hub.yaml and deploy.`;
}

const POLL_MS = 5000;

const statusOf = async (client: DynamoDBClient, TableName: string): Promise<string | undefined> => {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
};

const Recovery = z.object({
  EarliestRestorableDateTime: z.date(),
  LatestRestorableDateTime: z.date(),
});

const expectRestorable = async (client: DynamoDBClient, TableName: string, to: number): Promise<void> => {
  const { ContinuousBackupsDescription } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName }),
  );
  const range = Recovery.safeParse(ContinuousBackupsDescription?.PointInTimeRecoveryDescription).data;
  if (range === undefined)
    throw new HubError('unrestorable-time', `${TableName} has no point-in-time recovery.`, {
      retry: 'never',
    });
  const { EarliestRestorableDateTime: from, LatestRestorableDateTime: until } = range;
  if (to < from.getTime() || to > until.getTime())
    throw new HubError(
      'unrestorable-time',
      `${TableName} can be restored to a second between ${from.toISOString()} and ${until.toISOString()}, not to ${instant(to)}.`,
      { retry: 'never' },
    );
};

/** What the stack gives its own table. Each may be done already by an interrupted run. */
const protect = async (client: DynamoDBClient, TableName: string): Promise<void> => {
  await client
    .send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      }),
    )
    .catch((error: unknown) => {
      if (!(error instanceof Error && error.message.includes('already enabled'))) throw error;
    });
  await client.send(
    new UpdateContinuousBackupsCommand({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
  await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true }));
};
