import { parseArgs } from 'node:util';
import { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { AwsRefusal, signedCalls } from '../../functions/aws/clients/signed.ts';
import { REGION } from '../../infra/local/runtime/account.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { costOf, costTable } from './cost/cost.ts';
import { deliveriesOf, metricsOf, stackResources, sums, usageOf } from './cost/measure.ts';
import { prices } from './cost/prices.ts';

const DEFAULT_HOURS = 24;
/** Of `npm start`: the port of its AWS services, four above that of its API. */
const LOCAL_AWS_PORT = 4704;

/** `hub cost`: what a hub used of AWS, from CloudWatch, in dollars of the price list. */
export const costCommand = async (args: readonly string[]): Promise<number> => {
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
  if (!(hours > 0))
    throw new HubError('hours', '--hours takes a number of hours, such as 24.', { retry: 'never' });
  const stack = values.stack ?? `tributary-${HubConfig.parse(readSeed().hub).name}`;
  const now = Math.ceil(Date.now() / 1000);
  const env = values.local ? localEnvironment(Number(values.port)) : accountEnvironment(process.env);
  for (const line of await costLines(env, stack, { from: now - hours * 3600, to: now })) console.log(line);
  return 0;
};

export const localEnvironment = (port: number): Record<string, string> => ({
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
      'which-account',
      'Set AWS_REGION and the keys of the account: `eval "$(aws configure export-credentials --format env)"`. With --local the hub of `npm start` is asked.',
      { retry: 'never' },
    );
  return { ...env, AWS_REGION: region };
};

/** The table of costs of a stack over a time, ready to print. */
export const costLines = async (
  env: Readonly<Record<string, string | undefined>>,
  stack: string,
  span: { readonly from: number; readonly to: number },
): Promise<string[]> => {
  const aws = signedCalls({ env });
  const resources = await stackResources(aws, stack).catch((error: unknown) => {
    if (!(error instanceof AwsRefusal)) throw error;
    throw new HubError(
      'no-stack',
      `CloudFormation does not show the stack ${stack} (${error.name}). Name it with --stack, and see that AWS_REGION is the region of the hub.`,
      { retry: 'never', cause: error },
    );
  });
  const of = await sums(aws, metricsOf(resources), span);
  const lines = costOf(usageOf(resources, of), prices);
  const deliveries = deliveriesOf(resources, of);
  const hours = (span.to - span.from) / 3600;
  return [
    `${stack}: ${deliveries} deliveries in ${hours} hours, at the list prices of ${prices.region}, ${prices.asOf}`,
    '',
    ...costTable(lines, { name: 'deliveries', count: deliveries }),
    '',
    'Not in it: messages sent, what is stored, KMS, requests to S3 and Secrets Manager (CloudWatch does not tell them).',
    'Events are those of all buses in the account and region.',
  ];
};
