import { parseArgs } from 'node:util';
import { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { isAwsRefusal } from '../../functions/aws/clients/refusal.ts';
import { signedCalls } from '../../functions/aws/clients/signed.ts';
import { REGION } from '../../infra/local/runtime/account.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { costOf, costTable } from './cost/cost.ts';
import { countDeliveries, fetchMetricSums, metricsOf, stackResources, usageOf } from './cost/measure.ts';
import { prices } from './cost/prices.ts';

const DEFAULT_HOURS = 24;
/** `npm start` serves AWS four ports above its API. */
const LOCAL_AWS_PORT = 4704;

export const usage = `Usage: hub cost [--hours N] [--stack NAME] [--local [--port N]]

Shows what a hub used of each AWS service, from CloudWatch metrics, in dollars of the price list.

  --hours N      the last N hours (default ${DEFAULT_HOURS})
  --stack NAME   the CloudFormation stack (default: tributary-NAME, as mappings/hub.yaml names the hub)
  --local        the hub of \`npm start\` instead of an AWS account
  --port N       the port of its AWS services (default ${LOCAL_AWS_PORT})

AWS_REGION and the AWS credentials of the shell select the account.`;

/** `hub cost …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hours: { type: 'string', default: String(DEFAULT_HOURS) },
      stack: { type: 'string' },
      local: { type: 'boolean', default: false },
      port: { type: 'string', default: String(LOCAL_AWS_PORT) },
    },
  });
  const hours = Number(values.hours);
  if (!(hours > 0)) throw badArguments('--hours takes a number of hours, such as 24.');
  const { name, table } = HubConfig.parse(readSeed().hub);
  const stack = values.stack ?? `tributary-${name}`;
  const now = Math.ceil(Date.now() / 1000);
  const env = values.local ? localEnvironment(Number(values.port)) : accountEnvironment(process.env);
  for (const line of await costLines(env, stack, { from: now - hours * 3600, to: now }, table))
    console.log(line);
  return 0;
};

const localEnvironment = (port: number): Record<string, string> => ({
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'ADMIN',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
});

const accountEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> => {
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region === undefined || env['AWS_ACCESS_KEY_ID'] === undefined)
    throw new HubError(
      'missing-aws-account',
      'Set AWS_REGION and the keys of the account: `eval "$(aws configure export-credentials --format env)"`. Add --local for the hub of `npm start`.',
      { retry: 'never' },
    );
  return { ...env, AWS_REGION: region };
};

/** The lines of the cost table of a stack. `span`: epoch seconds; `table`: a restored table that its hub uses. Throws `HubError` `unknown-stack`. */
export const costLines = async (
  env: Readonly<Record<string, string | undefined>>,
  stack: string,
  span: { readonly from: number; readonly to: number },
  table?: string,
): Promise<string[]> => {
  const aws = signedCalls({ env, random: Math.random });
  const own = await stackResources(aws, stack).catch((error: unknown) => {
    if (!isAwsRefusal(error)) throw error;
    throw new HubError(
      'unknown-stack',
      `CloudFormation does not show the stack ${stack} (${error.name}). Name it with --stack, and check that AWS_REGION is the region of the hub.`,
      { retry: 'never', cause: error },
    );
  });
  // A restored table that the hub uses is none of the stack's resources.
  const restored = { logicalId: 'Restored', type: 'AWS::DynamoDB::Table', physicalId: table ?? '' };
  const resources = table === undefined ? own : [...own, restored];
  const of = await fetchMetricSums(aws, metricsOf(resources), span);
  const lines = costOf(usageOf(resources, of), prices);
  const deliveries = countDeliveries(resources, of);
  const hours = (span.to - span.from) / 3600;
  return [
    `${stack}: ${deliveries} deliveries in ${hours} hours, at the list prices of ${prices.region}, ${prices.asOf}`,
    '',
    ...costTable(lines, { name: 'deliveries', count: deliveries }),
    '',
    'Not included: messages sent, storage, KMS, and requests to S3 and Secrets Manager, which CloudWatch does not count.',
    'Events are counted for all buses of the account and region.',
  ];
};
