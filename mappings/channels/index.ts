import type { ChannelMapping } from '../../core/webhooks/channel.ts';
import { apple } from './apple.ts';
import { awsSms } from './aws-sms.ts';
import { bird } from './bird.ts';
import { calendly } from './calendly.ts';
import { chatwoot } from './chatwoot.ts';
import { discord } from './discord.ts';
import { hubspot } from './hubspot.ts';
import { intercom } from './intercom.ts';
import { line } from './line.ts';
import { mailgun } from './mailgun.ts';
import { messagebird } from './messagebird.ts';
import { meta } from './meta/index.ts';
import { plivo } from './plivo.ts';
import { postmark } from './postmark.ts';
import { rbm } from './rbm.ts';
import { resend } from './resend.ts';
import { salesforce } from './salesforce.ts';
import { segment } from './segment.ts';
import { sendgrid } from './sendgrid.ts';
import { servicenow } from './servicenow.ts';
import { ses } from './ses.ts';
import { shopify } from './shopify.ts';
import { slack } from './slack.ts';
import { standard } from './standard.ts';
import { stripe } from './stripe.ts';
import { teams } from './teams.ts';
import { telegram } from './telegram/index.ts';
import { telnyx } from './telnyx.ts';
import { tiktok } from './tiktok.ts';
import { twilio } from './twilio.ts';
import { typeform } from './typeform.ts';
import { viber } from './viber.ts';
import { vonage } from './vonage.ts';
import { x } from './x.ts';
import { zendesk } from './zendesk.ts';

/** Every provider whose payloads the hub understands, by id. */
export const mappings: Readonly<Record<string, ChannelMapping>> = {
  // One line each, so that adding one touches nothing else.
  apple,
  'aws-sms': awsSms,
  bird,
  calendly,
  chatwoot,
  discord,
  hubspot,
  intercom,
  line,
  mailgun,
  messagebird,
  meta,
  plivo,
  postmark,
  rbm,
  resend,
  salesforce,
  segment,
  sendgrid,
  servicenow,
  ses,
  shopify,
  slack,
  standard,
  stripe,
  teams,
  telegram,
  telnyx,
  tiktok,
  twilio,
  typeform,
  viber,
  vonage,
  x,
  zendesk,
};
