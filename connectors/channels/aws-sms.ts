// https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms.html
// Replies and delivery events come as messages of SNS, which signs them for the topic and not for the phone number.

import { channel } from '../../core/webhooks/channel.ts';
import { snsHosts, snsSchemes, verifySns } from '../../core/webhooks/sns.ts';

export const awsSms = channel({
  id: 'aws-sms',
  title: 'AWS End User Messaging (SMS, MMS, voice)',
  docs: 'https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html',
  secrets: { topicArns: { about: 'the ARN of the SNS topic for two-way messages or delivery events' } },
  schemes: snsSchemes,
  setup:
    'In the account of the hub, name the topic of the stack (output SmsTopic) for two-way messages and events; it needs no ' +
    'secret. Subscribe the address to topics of other accounts over HTTPS, with raw message delivery off: the hub confirms that itself.',
  documents: { hosts: snsHosts },
  verify: (request, context) => verifySns(request, context.secrets.topicArns, context),
});
