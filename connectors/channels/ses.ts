// https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications-sns.html
// SES publishes to a topic of SNS, which signs. Anybody can publish SES-like messages through a topic of their own: the
// topic's ARN is what names the sender.

import { channel } from '../../core/webhooks/channel.ts';
import { snsHosts, snsSchemes, verifySns } from '../../core/webhooks/sns.ts';

export const ses = channel({
  id: 'ses',
  title: 'Amazon SES (events, inbound mail)',
  docs: 'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html',
  secrets: { topicArns: { about: 'the ARN of the SNS topic that SES publishes to' } },
  schemes: snsSchemes,
  setup:
    'Events of SES in the account of the hub come by the topic of the stack and need no secret. ' +
    'Subscribe the address to topics of other accounts over HTTPS with raw message delivery off; the hub confirms that itself. Inbound mail: add to the active receipt rule set of ' +
    'SES a rule for your addresses with the action "Deliver to S3 bucket": the hub\'s bucket (output Bucket), the object key ' +
    'prefix mail/, the SNS topic MailTopic, no message encryption. It takes mails of up to 40 MB.',
  deposits: 'mail/',
  documents: { hosts: snsHosts },
  verify: (request, context) => verifySns(request, context.secrets.topicArns, context),
});
