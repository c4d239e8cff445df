import { channel } from '../../core/webhooks/channel.ts';
import { judgeSns, snsHosts } from '../../core/webhooks/sns.ts';

export const ses = channel({
  id: 'ses',
  title: 'Amazon SES (events, inbound mail)',
  docs: 'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html',
  secrets: { topicArns: { about: 'the ARN of the SNS topic that SES publishes to' } },
  setup:
    'The stack has subscribed the address to its topic (output MailTopic), which the hub confirms by itself; subscribe other ' +
    'topics over HTTPS with raw message delivery off. Mail that comes in: add to the active receipt rule set of SES a rule ' +
    'for your addresses with the action "Deliver to S3 bucket": the hub\'s bucket (output Bucket), the object key prefix ' +
    'mail/, the SNS topic MailTopic, no message encryption. Mails of up to 40 MB come in this way.',
  deposits: 'mail/',
  documents: { hosts: snsHosts },
  verify: (request, context) => judgeSns(request, context.secrets.topicArns, context),
});
