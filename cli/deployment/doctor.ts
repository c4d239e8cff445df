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
import { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { readSeed } from '../../infra/stack/seed.ts';

/** `unknown`: the account did not answer, most often because the caller may not ask. */
interface Finding {
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly about: string;
  readonly says: string;
}

export interface DoctorContext {
  readonly aws: Pick<SecretsManagerClientConfig, 'region' | 'credentials' | 'requestHandler'>;
  readonly hub: HubConfig;
  /** Asks Lambda's own API, signed; answers JSON. */
  readonly lambda: (path: string) => Promise<unknown>;
}

type Check = readonly [about: string, ask: () => Promise<Omit<Finding, 'about'>>];

const ok = (says: string) => ({ state: 'ok', says }) as const;
const wrong = (says: string) => ({ state: 'wrong', says }) as const;

/** What SES lets an account send while it is in the sandbox, a day. */
const SANDBOX_MAILS = 200;
/** Executions at once that AWS promises; a new account may have ten. */
const FEW_EXECUTIONS = 100;

/** Looks at what a hub needs of its account, one finding per matter. Never throws for what it cannot see. */
export const examine = async (surgery: DoctorContext): Promise<Finding[]> => {
  const { senders } = surgery.hub;
  const uses = (sender: string): boolean => Object.values(senders).includes(sender);
  const checks = [
    ...secretChecks(surgery),
    ...(uses('ses') ? mailChecks(surgery) : []),
    ...(uses('aws-sms') ? [smsCheck(surgery)] : []),
    alarmCheck(surgery),
    executionCheck(surgery),
  ];
  return Promise.all(
    checks.map(async ([about, ask]) => {
      try {
        return { about, ...(await ask()) };
      } catch (error) {
        const name = error instanceof Error ? error.name : 'an error';
        return { about, state: 'unknown', says: `The account answered ${name}.` } as const;
      }
    }),
  );
};

const secretChecks = ({ aws, hub }: DoctorContext): Check[] => {
  const client = new SecretsManagerClient(aws);
  const names = [
    ...Object.keys(hub.channels).map((channel) => `channels/${channel}`),
    ...Object.keys(hub.crms).map((crm) => `crm/${crm}`),
    ...(Object.values(hub.senders).includes('whatsapp-cloud') ? ['senders/whatsapp-cloud'] : []),
  ];
  return names.map((name) => {
    const SecretId = `${hub.name}/${name}`;
    return [
      `secret ${SecretId}`,
      async () => {
        const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
        const fields = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(SecretString)));
        return fields.length > 0
          ? ok(`holds ${fields.join(', ')}`)
          : wrong('is empty: store it with `aws secretsmanager put-secret-value`.');
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
        return Max24HourSend > SANDBOX_MAILS
          ? ok(`${Max24HourSend} e-mails a day, ${MaxSendRate} a second`)
          : wrong(
              `${Max24HourSend} e-mails a day: the account is in the SES sandbox. Ask for production access.`,
            );
      },
    ],
    [
      'SES identities',
      async () => {
        const { Identities = [] } = await client.send(new ListIdentitiesCommand({}));
        return Identities.length > 0
          ? ok(`${Identities.length} to send from`)
          : wrong('none: create the identity of your domain and publish its DKIM records.');
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
      ? ok(`$${dollars} a month`)
      : wrong(`$${dollars} a month, as in the SMS sandbox. Ask AWS to raise it.`);
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
        if (TopicArn?.split(':').at(-1)?.startsWith(`tributary-${hub.name}-WatchAlarms`) !== true) continue;
        const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
        const mail = Subscriptions.find(({ Endpoint }) => Endpoint === hub.alarms);
        if (mail === undefined) return wrong('are not subscribed: deploy again.');
        return mail.SubscriptionArn?.startsWith('arn:') === true
          ? ok('are confirmed')
          : wrong('are not confirmed: follow the link in the e-mail that AWS has sent there.');
      }
      next = NextToken;
    } while (next !== undefined);
    return wrong('have no topic in this account and region. Is the hub deployed here?');
  },
];

const AccountSettings = z.object({ AccountLimit: z.object({ ConcurrentExecutions: z.number() }) });

const executionCheck = ({ lambda }: DoctorContext): Check => [
  'Lambda executions at once',
  async () => {
    const { ConcurrentExecutions: most } = AccountSettings.parse(
      await lambda('/2016-08-19/account-settings/'),
    ).AccountLimit;
    return most >= FEW_EXECUTIONS
      ? ok(String(most))
      : wrong(
          `${most}: ask AWS for 1000 (Service Quotas, Lambda, concurrent executions) before much comes in.`,
        );
  },
];

/** `hub doctor`: with the credentials and the region of the shell; exit 1 when something is wrong. */
export const doctorCommand = async (): Promise<number> => {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL } = process.env;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION;
  if (region === undefined)
    throw new HubError('which-account', 'Set AWS_REGION and credentials of the account to look at.', {
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
  const findings = await examine({ aws: { region }, hub, lambda });
  const width = Math.max(...findings.map(({ about }) => about.length));
  for (const { state, about, says } of findings)
    console.log(`${state.padEnd(7)}  ${about.padEnd(width)}  ${says}`);
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
};
