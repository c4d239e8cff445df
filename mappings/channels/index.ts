import type { ChannelMapping } from '../../core/channel.ts';
import { awsSms } from './aws-sms.ts';
import { bird } from './bird.ts';
import { mailgun } from './mailgun.ts';
import { messagebird } from './messagebird.ts';
import { meta } from './meta.ts';
import { postmark } from './postmark.ts';
import { resend } from './resend.ts';
import { sendgrid } from './sendgrid.ts';
import { ses } from './ses.ts';
import { standard } from './standard.ts';
import { twilio } from './twilio.ts';
import { vonage } from './vonage.ts';

/** Every provider whose payloads the hub understands, by id. */
export const mappings: Readonly<Record<string, ChannelMapping>> = {
  // One line each, so that adding one touches nothing else.
  'aws-sms': awsSms,
  bird,
  mailgun,
  messagebird,
  meta,
  postmark,
  resend,
  sendgrid,
  ses,
  standard,
  twilio,
  vonage,
};
