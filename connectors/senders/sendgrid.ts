// https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
// 202 means queued, and has no body: the id of the message is a header, whose part before the first dot is the beginning of
// sg_message_id in every event. Errors have no codes but sentences. There is no idempotency key.

import * as z from 'zod';
import { readMailbox } from '../../core/formats/mail/mime.ts';
import { memberOf } from '../../core/formats/payload.ts';
import { httpSender, type VendorErrors } from '../../core/triggers/sending/http-sender.ts';
import { type OutgoingMessage, refusal } from '../../core/triggers/sending/sender.ts';

const Errors = z.array(z.looseObject({ message: z.string() })).min(1);
const Scopes = z.looseObject({ scopes: z.array(z.string()) });

const errors: readonly VendorErrors[] = [
  {
    means: 'account',
    codes: ['Maximum credits exceeded'],
    advice: 'The plan of the account allows no more e-mails for now.',
  },
  { means: 'account', codes: ['access forbidden'], advice: 'The API key lacks the permission Mail Send.' },
  {
    means: 'never',
    codes: ['The from address does not match a verified Sender Identity'],
    advice:
      'Verify the domain of `from` under Settings, Sender Authentication, or name another in email.liquid.',
  },
];

const apiOf = (region: string | undefined): string =>
  `https://api${region === undefined || region === 'global' ? '' : `.${region}`}.sendgrid.com/v3`;

const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` });

const mailOf = ({ id, to, from = '', subject = '', text, html, unsubscribe }: OutgoingMessage): object => {
  const { address: email, name } = readMailbox(from);
  return {
    personalizations: [{ to: [{ email: to }] }],
    from: { email, ...(name !== '' && { name }) },
    subject,
    content: [
      { type: 'text/plain', value: text },
      ...(html === undefined ? [] : [{ type: 'text/html', value: html }]),
    ],
    headers: {
      ...{ 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      ...(unsubscribe !== undefined && {
        'List-Unsubscribe': `<${unsubscribe}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      }),
    },
    custom_args: { notification: id },
    // SendGrid's own links would replace those of the hub.
    tracking_settings: { subscription_tracking: { enable: false } },
  };
};

export const sendgrid = httpSender({
  id: 'sendgrid',
  title: 'SendGrid',
  docs: 'https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send',
  provider: 'sendgrid',
  channels: ['email'],
  vendor: 'SendGrid',
  secrets: {
    apiKey: { about: 'an API key (SG.…) with the permission Mail Send (Settings, API Keys)' },
    region: { about: 'eu for a subuser of the region EU', optional: true },
  },
  // The rest of a sentence is links.
  codeOf: ({ body }) => Errors.safeParse(memberOf(body, 'errors')).data?.[0]?.message.split('. ')[0],
  errors,
  async send(message, { secret: { apiKey, region }, request }) {
    if (message.from === undefined)
      throw refusal('The e-mail has no sender. Add `from` to the front matter of email.liquid.');
    const url = `${apiOf(region)}/mail/send`;
    const { headers } = await request({ url, headers: bearer(apiKey), json: mailOf(message) }, z.unknown());
    return headers.get('x-message-id')?.split('.')[0] ?? message.id;
  },
  async check({ secret: { apiKey, region }, request }) {
    const { body } = await request({ url: `${apiOf(region)}/scopes`, headers: bearer(apiKey) }, Scopes);
    if (!body.scopes.includes('mail.send')) throw refusal('The API key lacks the permission Mail Send.');
    return 'an API key that may send';
  },
});
