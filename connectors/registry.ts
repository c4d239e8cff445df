import type { ChannelConnector, ChannelMapping } from '../core/webhooks/channel.ts';
import { apple as appleMapping } from '../mappings/channels/apple.ts';
import { awsSms as awsSmsMapping } from '../mappings/channels/aws-sms.ts';
import { bird as birdMapping } from '../mappings/channels/bird.ts';
import { calendly as calendlyMapping } from '../mappings/channels/calendly.ts';
import { chatwoot as chatwootMapping } from '../mappings/channels/chatwoot.ts';
import { discord as discordMapping } from '../mappings/channels/discord.ts';
import { hubspot as hubspotMapping } from '../mappings/channels/hubspot.ts';
import { intercom as intercomMapping } from '../mappings/channels/intercom.ts';
import { line as lineMapping } from '../mappings/channels/line.ts';
import { mailgun as mailgunMapping } from '../mappings/channels/mailgun.ts';
import { messagebird as messagebirdMapping } from '../mappings/channels/messagebird.ts';
import { meta as metaMapping } from '../mappings/channels/meta/index.ts';
import { plivo as plivoMapping } from '../mappings/channels/plivo.ts';
import { postmark as postmarkMapping } from '../mappings/channels/postmark.ts';
import { rbm as rbmMapping } from '../mappings/channels/rbm.ts';
import { resend as resendMapping } from '../mappings/channels/resend.ts';
import { salesforce as salesforceMapping } from '../mappings/channels/salesforce.ts';
import { segment as segmentMapping } from '../mappings/channels/segment.ts';
import { sendgrid as sendgridMapping } from '../mappings/channels/sendgrid.ts';
import { servicenow as servicenowMapping } from '../mappings/channels/servicenow.ts';
import { ses as sesMapping } from '../mappings/channels/ses/index.ts';
import { shopify as shopifyMapping } from '../mappings/channels/shopify.ts';
import { slack as slackMapping } from '../mappings/channels/slack/index.ts';
import { standard as standardMapping } from '../mappings/channels/standard.ts';
import { stripe as stripeMapping } from '../mappings/channels/stripe.ts';
import { teams as teamsMapping } from '../mappings/channels/teams.ts';
import { telegram as telegramMapping } from '../mappings/channels/telegram/index.ts';
import { telnyx as telnyxMapping } from '../mappings/channels/telnyx.ts';
import { tiktok as tiktokMapping } from '../mappings/channels/tiktok.ts';
import { twilio as twilioMapping } from '../mappings/channels/twilio.ts';
import { typeform as typeformMapping } from '../mappings/channels/typeform.ts';
import { viber as viberMapping } from '../mappings/channels/viber.ts';
import { vonage as vonageMapping } from '../mappings/channels/vonage.ts';
import { x as xMapping } from '../mappings/channels/x.ts';
import { zendesk as zendeskMapping } from '../mappings/channels/zendesk.ts';
import { apple } from './channels/apple.ts';
import { awsSms } from './channels/aws-sms.ts';
import { bird } from './channels/bird.ts';
import { calendly } from './channels/calendly.ts';
import { chatwoot } from './channels/chatwoot.ts';
import { discord } from './channels/discord.ts';
import { hubspot } from './channels/hubspot.ts';
import { intercom } from './channels/intercom.ts';
import { line } from './channels/line.ts';
import { mailgun } from './channels/mailgun.ts';
import { messagebird } from './channels/messagebird.ts';
import { meta } from './channels/meta.ts';
import { plivo } from './channels/plivo.ts';
import { postmark } from './channels/postmark.ts';
import { rbm } from './channels/rbm.ts';
import { resend } from './channels/resend.ts';
import { salesforce } from './channels/salesforce.ts';
import { segment } from './channels/segment.ts';
import { sendgrid } from './channels/sendgrid.ts';
import { servicenow } from './channels/servicenow.ts';
import { ses } from './channels/ses.ts';
import { shopify } from './channels/shopify.ts';
import { slack } from './channels/slack.ts';
import { standard } from './channels/standard.ts';
import { stripe } from './channels/stripe.ts';
import { teams } from './channels/teams.ts';
import { telegram } from './channels/telegram.ts';
import { telnyx } from './channels/telnyx.ts';
import { tiktok } from './channels/tiktok.ts';
import { twilio } from './channels/twilio.ts';
import { typeform } from './channels/typeform.ts';
import { viber } from './channels/viber.ts';
import { vonage } from './channels/vonage.ts';
import { x } from './channels/x.ts';
import { zendesk } from './channels/zendesk.ts';

// Two tables and not one table of pairs: the function `receive` needs no mapping, and a bundler drops the second table with
// everything that only it imports, but it cannot drop a member of an object. The compiler pairs them: a provider in one
// table without an entry in the other does not compile.

const connectors = {
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
} as const satisfies Readonly<Record<string, ChannelConnector>>;

/** The id of a provider: its route, its files, the folder of its fixtures, the name of its secret. */
export type ProviderId = keyof typeof connectors;

const mappings: Readonly<Record<ProviderId, ChannelMapping>> = {
  apple: appleMapping,
  'aws-sms': awsSmsMapping,
  bird: birdMapping,
  calendly: calendlyMapping,
  chatwoot: chatwootMapping,
  discord: discordMapping,
  hubspot: hubspotMapping,
  intercom: intercomMapping,
  line: lineMapping,
  mailgun: mailgunMapping,
  messagebird: messagebirdMapping,
  meta: metaMapping,
  plivo: plivoMapping,
  postmark: postmarkMapping,
  rbm: rbmMapping,
  resend: resendMapping,
  salesforce: salesforceMapping,
  segment: segmentMapping,
  sendgrid: sendgridMapping,
  servicenow: servicenowMapping,
  ses: sesMapping,
  shopify: shopifyMapping,
  slack: slackMapping,
  standard: standardMapping,
  stripe: stripeMapping,
  teams: teamsMapping,
  telegram: telegramMapping,
  telnyx: telnyxMapping,
  tiktok: tiktokMapping,
  twilio: twilioMapping,
  typeform: typeformMapping,
  viber: viberMapping,
  vonage: vonageMapping,
  x: xMapping,
  zendesk: zendeskMapping,
};

const isProviderId = (id: string): id is ProviderId => Object.hasOwn(connectors, id);

export const providerIds: readonly ProviderId[] = Object.keys(connectors).filter(isProviderId);

/** The connector of a provider; undefined for an unknown id. */
export function connectorOf(id: ProviderId): ChannelConnector;
export function connectorOf(id: string): ChannelConnector | undefined;
export function connectorOf(id: string): ChannelConnector | undefined {
  return isProviderId(id) ? connectors[id] : undefined;
}

/** The mapping of a provider; undefined for an unknown id. */
export function mappingOf(id: ProviderId): ChannelMapping;
export function mappingOf(id: string): ChannelMapping | undefined;
export function mappingOf(id: string): ChannelMapping | undefined {
  return isProviderId(id) ? mappings[id] : undefined;
}
