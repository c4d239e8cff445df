import { channel } from '../../core/webhooks/channel.ts';
import { judgeSns, snsHosts } from '../../core/webhooks/sns.ts';

export const awsSms = channel({
  id: 'aws-sms',
  title: 'AWS End User Messaging (SMS, MMS, voice)',
  docs: 'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html',
  secrets: { topicArns: { about: 'the ARN of the SNS topic for two-way messages or delivery events' } },
  setup:
    'Subscribe the address to the topic over HTTPS, with raw message delivery off: the hub confirms it by itself.',
  documents: { hosts: snsHosts },
  verify: (request, context) => judgeSns(request, context.secrets.topicArns, context),
});
