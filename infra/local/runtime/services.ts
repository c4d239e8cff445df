import { dynamodb } from '../dynamodb/index.ts';
import { type Events, events } from '../eventbridge/index.ts';
import { type SentMessages, sentMessages } from '../inbox/sent-messages.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { s3 } from '../s3/index.ts';
import { scheduler } from '../scheduler/index.ts';
import { secretsManager } from '../secrets-manager/index.ts';
import { type Ses, ses } from '../ses/index.ts';
import { smsVoice } from '../sms/index.ts';
import { type Sns, sns } from '../sns/index.ts';
import { type Sqs, sqs } from '../sqs/index.ts';
import type { CloudOptions } from './cloud-options.ts';

export interface CloudServices {
  readonly dynamodb: AwsService;
  readonly sqs: Sqs;
  readonly events: Events;
  readonly scheduler: AwsService;
  readonly s3: AwsService;
  readonly secretsManager: AwsService;
  readonly ses: Ses;
  readonly sns: Sns;
  readonly sms: AwsService;
  readonly sentMessages: SentMessages;
}

/** The account's monthly limit for text messages, enough for a hundred thousand. */
const SMS_DOLLARS = 1000;

/** The services of a cloud. `post` sends a topic's notification to a URL and throws if it is not accepted. */
export const cloudServices = (
  context: ServiceContext,
  mailboxes: ServiceContext['db'],
  {
    awsUrl,
    chaos,
    verified = [],
    mailQuota,
    smsPartsPerSecond,
  }: Pick<CloudOptions, 'awsUrl' | 'chaos' | 'mailQuota' | 'smsPartsPerSecond' | 'verified'>,
  post: (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<void>,
): CloudServices => {
  const sent = sentMessages(mailboxes);
  return {
    dynamodb: dynamodb(context),
    sqs: sqs(context, { endpoint: awsUrl, ...(chaos && { chaos }) }),
    events: events(context, chaos ?? {}),
    scheduler: scheduler(context),
    s3: s3(context),
    secretsManager: secretsManager(context),
    ses: ses(context, sent, { verified, quota: mailQuota }),
    sns: sns(context, sent, { post }),
    sms: smsVoice(context, sent, {
      monthlyLimit: SMS_DOLLARS,
      ...(smsPartsPerSecond !== undefined && { partsPerSecond: smsPartsPerSecond }),
    }),
    sentMessages: sent,
  };
};
