// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
// Twilio takes a message at once and reports what becomes of it to StatusCallback, also most of its refusals. An approved
// WhatsApp template has no name but a ContentSid. There is no idempotency key.

import * as z from 'zod';
import { memberOf } from '../../core/formats/payload.ts';
import { httpSender, type VendorErrors } from '../../core/triggers/sending/http-sender.ts';
import { type OutgoingMessage, refusal } from '../../core/triggers/sending/sender.ts';

const API = 'https://api.twilio.com/2010-04-01/Accounts';
const Sent = z.looseObject({ sid: z.string().min(1) });
const Account = z.looseObject({ friendly_name: z.string(), status: z.string() });

/** https://www.twilio.com/docs/api/errors */
const errors: readonly VendorErrors[] = [
  { means: 'rate', codes: [20429] },
  { means: 'account', codes: [20003] },
  { means: 'account', codes: [10001, 20005], advice: 'The account of Twilio is not active.' },
  {
    means: 'account',
    codes: [21611],
    advice:
      'Ten hours of messages wait for the number: use a Messaging Service, or lower `rate` in hub.yaml.',
  },
  { means: 'account', codes: [63038], advice: 'A trial account has a daily limit: upgrade it, or wait.' },
  { means: 'never', codes: [21610], advice: 'The person has texted STOP; only their START opens it again.' },
  { means: 'never', codes: [21211, 21265, 21614], advice: 'The number is not one that gets messages.' },
  { means: 'never', codes: [21608], advice: 'A trial account sends to verified numbers alone: upgrade it.' },
  {
    means: 'never',
    codes: [21408],
    advice: 'Turn the country on under Messaging, Settings, Geo permissions.',
  },
  {
    means: 'never',
    codes: [21212, 21603, 21606, 21612, 21659, 63007],
    advice: 'Is `from` (or `whatsappFrom`) a number of this account for this country and channel?',
  },
  { means: 'never', codes: [21617], advice: 'The text is longer than 1600 characters.' },
  { means: 'never', codes: [21655], advice: 'There is no approved template with this ContentSid.' },
];

const ContentSid = /^HX[0-9a-f]{32}$/iu;
const ServiceSid = /^MG[0-9a-f]{32}$/iu;

const contentOf = ({ template, text }: OutgoingMessage): Readonly<Record<string, string>> => {
  if (template === undefined) return { Body: text };
  if (!ContentSid.test(template.name))
    throw refusal(
      `Twilio knows approved templates by their ContentSid (HX…), not by the name ${template.name}. Write it as \`name\` in whatsapp.yaml.`,
    );
  const variables = template.parameters.map((value, at) => [String(at + 1), value] as const);
  return { ContentSid: template.name, ContentVariables: JSON.stringify(Object.fromEntries(variables)) };
};

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

export const twilio = httpSender({
  id: 'twilio',
  title: 'Twilio (SMS, WhatsApp)',
  docs: 'https://www.twilio.com/docs/messaging/api/message-resource',
  provider: 'twilio',
  channels: ['sms', 'whatsapp'],
  vendor: 'Twilio',
  secrets: {
    accountSid: { about: 'the Account SID (AC…) on the first page of the console' },
    authToken: { about: 'the Auth Token of that account' },
    from: {
      about: 'for SMS: a number of the account (+…), a sender ID, or a Messaging Service (MG…)',
      optional: true,
    },
    whatsappFrom: {
      about: 'for WhatsApp: the number of the WhatsApp sender (+…), or a Messaging Service (MG…)',
      optional: true,
    },
  },
  codeOf: ({ body }) => z.number().optional().catch(undefined).parse(memberOf(body, 'code')),
  errors,
  async send(message, { secret: { accountSid, authToken, from, whatsappFrom }, request, publicUrl }) {
    const isWhatsApp = message.channel === 'whatsapp';
    const sender = isWhatsApp ? whatsappFrom : from;
    if (sender === undefined)
      throw refusal(
        `The secret of twilio has no ${isWhatsApp ? 'whatsappFrom' : 'from'}. Store it with \`hub connect twilio --sender\`.`,
      );
    const address = (number: string): string =>
      isWhatsApp ? `whatsapp:+${number.replace(/^\+/u, '')}` : number;
    const form = {
      ...{ To: address(message.to), ...contentOf(message) },
      ...(ServiceSid.test(sender) ? { MessagingServiceSid: sender } : { From: address(sender) }),
      // Twilio refuses an address that the internet cannot reach.
      ...(publicUrl.startsWith('https://') && { StatusCallback: `${publicUrl}/webhooks/twilio` }),
    };
    const url = `${API}/${encodeURIComponent(accountSid)}/Messages.json`;
    return (await request({ url, headers: basic(accountSid, authToken), form }, Sent)).body.sid;
  },
  async check({ secret: { accountSid, authToken, from, whatsappFrom }, request }) {
    if (from === undefined && whatsappFrom === undefined)
      throw refusal('Give `from` for SMS, `whatsappFrom` for WhatsApp, or both.');
    const url = `${API}/${encodeURIComponent(accountSid)}.json`;
    const { friendly_name: name, status } = (
      await request({ url, headers: basic(accountSid, authToken) }, Account)
    ).body;
    if (status === 'active') return `the account ${name}`;
    throw refusal(`The account ${name} is ${status}.`);
  },
});
