import { DescribeSpendLimitsCommand, PinpointSMSVoiceV2Client } from '@aws-sdk/client-pinpoint-sms-voice-v2';
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { GetSendQuotaCommand, ListIdentitiesCommand, SESClient } from '@aws-sdk/client-ses';
import { ListSubscriptionsByTopicCommand, ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod';
import { HubConfig, usedSenders } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { sanitizeLines } from '../terminal/sanitize.ts';
import { examineChannels, fedByTopic } from './doctor-channels.ts';
import { examineCrms } from './doctor-crms.ts';
import type { Finding } from './doctor-hub.ts';
import { examineSenders } from './doctor-senders.ts';

interface DoctorContext {
  readonly aws: Pick<SecretsManagerClientConfig, 'region' | 'credentials' | 'requestHandler'>;
  readonly hub: HubConfig;
  /** A signed GET of a path of the Lambda API; resolves to its JSON. */
  readonly lambda: (path: string) => Promise<unknown>;
}

type Check = readonly [subject: string, check: () => Promise<Omit<Finding, 'subject'>>];

const ok = (detail: string) => ({ state: 'ok', detail }) as const;
const wrong = (detail: string) => ({ state: 'wrong', detail }) as const;

/** How many e-mails a day SES allows an account in its sandbox. */
const SANDBOX_MAILS_PER_DAY = 200;
/** Fewer concurrent executions of Lambda are reported; a new account may have ten. */
const MIN_CONCURRENT_EXECUTIONS = 100;

/** Runs every check that the configuration of the hub needs. A check that fails is a finding `unknown`. */
export const examineAccount = async (context: DoctorContext): Promise<Finding[]> => {
  const senders = usedSenders(context.hub);
  const checks = [
    ...secretChecks(context),
    ...(senders.has('ses') ? mailChecks(context) : []),
    ...(senders.has('aws-sms') ? [smsCheck(context)] : []),
    alarmCheck(context),
    executionCheck(context),
  ];
  return Promise.all(
    checks.map(async ([subject, check]) => {
      try {
        return { subject, ...(await check()) };
      } catch (error) {
        const name = error instanceof Error ? error.name : 'an error';
        return { subject, state: 'unknown', detail: `AWS answered ${name}` } as const;
      }
    }),
  );
};

const secretChecks = ({ aws, hub }: DoctorContext): Check[] => {
  const client = new SecretsManagerClient(aws);
  const names = [
    ...Object.keys(hub.channels).flatMap((channel) =>
      fedByTopic.has(channel) ? [] : [`channels/${channel}`],
    ),
    ...Object.keys(hub.crms).map((crm) => `crm/${crm}`),
  ];
  return names.map((name) => {
    const SecretId = `${hub.name}/${name}`;
    return [
      `secret ${SecretId}`,
      async () => {
        const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
        const fields = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(SecretString)));
        return fields.length > 0
          ? ok(`has ${fields.join(', ')}`)
          : wrong('is empty. Store it with `hub connect` or `aws secretsmanager put-secret-value`.');
      },
    ];
  });
};

const mailChecks = ({ aws }: DoctorContext): Check[] => {
  const client = new SESClient(aws);
  return [
    [
      'SES quota',
      async () => {
        const { Max24HourSend = 0, MaxSendRate = 0 } = await client.send(new GetSendQuotaCommand({}));
        return Max24HourSend > SANDBOX_MAILS_PER_DAY
          ? ok(`${Max24HourSend} e-mails per day, ${MaxSendRate} per second`)
          : wrong(
              `${Max24HourSend} e-mails per day: the account is in the SES sandbox. Request production access.`,
            );
      },
    ],
    [
      'SES identities',
      async () => {
        const { Identities = [] } = await client.send(new ListIdentitiesCommand({}));
        return Identities.length > 0
          ? ok(`${Identities.length} identities`)
          : wrong('none. Create an identity for your domain and publish its DKIM records.');
      },
    ],
  ];
};

const smsCheck = ({ aws }: DoctorContext): Check => [
  'SMS spend limit',
  async () => {
    const { SpendLimits = [] } = await new PinpointSMSVoiceV2Client(aws).send(
      new DescribeSpendLimitsCommand({}),
    );
    const limit = SpendLimits.find(({ Name }) => Name === 'TEXT_MESSAGE_MONTHLY_SPEND_LIMIT');
    const dollars = limit?.EnforcedLimit ?? 0;
    return dollars > 1
      ? ok(`$${dollars} per month`)
      : wrong(`$${dollars} per month, the limit of the SMS sandbox. Request a higher limit from AWS.`);
  },
];

const alarmCheck = ({ aws, hub }: DoctorContext): Check => [
  `alarms to ${hub.alarms}`,
  async () => {
    const sns = new SNSClient(aws);
    let next: string | undefined;
    do {
      const { Topics = [], NextToken } = await sns.send(
        new ListTopicsCommand(next === undefined ? {} : { NextToken: next }),
      );
      for (const { TopicArn } of Topics) {
        if (TopicArn?.split(':').at(-1)?.startsWith(`tributary-${hub.name}-MonitoringAlarms`) !== true)
          continue;
        const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
        const mail = Subscriptions.find(({ Endpoint }) => Endpoint === hub.alarms);
        if (mail === undefined) return wrong('are not subscribed. Deploy again.');
        return mail.SubscriptionArn?.startsWith('arn:') === true
          ? ok('are confirmed')
          : wrong('are not confirmed. Follow the link in the e-mail that AWS sent there.');
      }
      next = NextToken;
    } while (next !== undefined);
    return wrong('have no topic in this account and region. Check that the hub is deployed here.');
  },
];

const AccountSettings = z.object({ AccountLimit: z.object({ ConcurrentExecutions: z.number() }) });

/** The most concurrent executions of the queues of live traffic: each CRM has two, projections two. */
const liveExecutions = ({ concurrency: { record, decide, notify }, crms }: HubConfig): number =>
  record + decide + notify + 2 * Object.keys(crms).length + 2;

const executionCheck = ({ lambda, hub }: DoctorContext): Check => [
  'Lambda concurrent executions',
  async () => {
    const { ConcurrentExecutions: quota } = AccountSettings.parse(
      await lambda('/2016-08-19/account-settings/'),
    ).AccountLimit;
    return quota >= MIN_CONCURRENT_EXECUTIONS
      ? ok(String(quota))
      : wrong(
          `${quota}, of which the queues may take ${Math.min(quota, liveExecutions(hub))} in a burst and leave ${Math.max(0, quota - liveExecutions(hub))} to webhooks and the API. Request 1000 before production traffic (Service Quotas, AWS Lambda, Concurrent executions).`,
        );
  },
];

export const usage = `Usage: hub doctor

Checks that the AWS account has what the hub needs: secrets, production access of SES, the SMS spend limit, a confirmed
alarm address and concurrent executions of Lambda. Has the vendor of each sender check its secret, by a request that sends
nothing. Logs in to each CRM and checks version, permissions, allowance and clock,
the mapping against its fields, and (if HUB_URL is set) whether the hub is connected, whether webhooks come from each
provider, and why the last ones were refused. The exit code is 1 where something is wrong.

AWS_REGION and the AWS credentials of the shell select the account; AWS_ENDPOINT_URL selects a hub on this machine.`;

/** `hub doctor` */
export const run = async (): Promise<number> => {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL } = process.env;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION;
  if (region === undefined)
    throw new HubError('missing-aws-account', 'Set AWS_REGION and the AWS credentials of the account.', {
      retry: 'never',
    });
  const hub = HubConfig.parse(readSeed().hub);
  const secrets = new SecretsManagerClient({ region });
  const lambda = async (path: string): Promise<unknown> => {
    const keys = await secrets.config.credentials();
    const client = new AwsClient({
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken !== undefined && { sessionToken: keys.sessionToken }),
      region,
      service: 'lambda',
      retries: 1,
    });
    const response = await client.fetch(
      `${AWS_ENDPOINT_URL ?? `https://lambda.${region}.amazonaws.com`}${path}`,
    );
    if (!response.ok) throw Object.assign(new Error(), { name: `status ${response.status}` });
    return response.json();
  };
  const findings = [
    ...(await examineAccount({ aws: { region }, hub, lambda })),
    ...(await examineChannels({ region }, hub)),
    ...(await examineSenders({ region }, hub)),
    ...(await examineCrms({ region }, hub)),
  ];
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  for (const { state, subject, detail } of findings)
    console.log(`${state.padEnd(7)}  ${subject.padEnd(width)}  ${sanitizeLines(detail)}`);
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
};
