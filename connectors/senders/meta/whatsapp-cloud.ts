// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages
// Free text is accepted only within 24 hours of the person's last message; after that it needs an approved template, and
// WhatsApp answers with error 131047.

import * as z from 'zod';
import { httpSender, type VendorErrors } from '../../../core/triggers/sending/http-sender.ts';
import type { OutgoingMessage } from '../../../core/triggers/sending/sender.ts';
import { bearer, codeOf, GRAPH } from './graph.ts';

const Sent = z.looseObject({ messages: z.tuple([z.looseObject({ id: z.string() })], z.unknown()) });
const PhoneNumber = z.looseObject({ display_phone_number: z.string(), verified_name: z.string().optional() });

/** https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const errors: readonly VendorErrors[] = [
  { means: 'rate', codes: [4, 80007, 130429] },
  { means: 'message', codes: [131056], advice: 'Too many messages went to this person.' },
  { means: 'down', codes: [1, 2, 131000, 131016] },
  {
    means: 'account',
    codes: [131048, 133016, 368, 131031],
    advice:
      'Too many people have blocked or reported the number, or Meta has restricted it: look at its quality in WhatsApp Manager.',
  },
  { means: 'account', codes: [131042], advice: 'Look at the payment settings of the WhatsApp account.' },
  { means: 'account', codes: [190] },
  { means: 'never', codes: [131026], advice: 'The number has no WhatsApp, or its app is too old.' },
  {
    means: 'never',
    codes: [131047],
    advice: "More than 24 hours have passed since the person's last message: use an approved template.",
  },
  {
    means: 'never',
    codes: [131050],
    advice: 'The person has stopped marketing of the business in WhatsApp.',
  },
  { means: 'never', codes: [132001], advice: 'There is no approved template of this name and language.' },
];

const contentOf = ({ template, text }: OutgoingMessage): object => {
  if (template === undefined) return { type: 'text', text: { body: text } };
  const parameters = template.parameters.map((one) => ({ type: 'text', text: one }));
  return {
    type: 'template',
    template: {
      name: template.name,
      language: { code: template.language },
      components: [{ type: 'body', parameters }],
    },
  };
};

export const whatsappCloud = httpSender({
  id: 'whatsapp-cloud',
  title: 'WhatsApp Cloud API',
  docs: 'https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages',
  provider: 'meta',
  channels: ['whatsapp'],
  vendor: 'WhatsApp',
  secrets: {
    accessToken: { about: 'a lasting access token of a system user with whatsapp_business_messaging' },
    phoneNumberId: { about: 'the id of the phone number (WhatsApp, API Setup), which is not the number' },
    baseUrl: { about: `another address than ${GRAPH}, such as that of a proxy`, optional: true },
  },
  // https://developers.facebook.com/docs/whatsapp/throughput: for each number of a business.
  usual: { rate: { count: 80, windowMs: 1000 } },
  codeOf: codeOf(errors),
  errors,
  async send(message, { secret: { accessToken, phoneNumberId, baseUrl = GRAPH }, request }) {
    const json = {
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: message.to.replace(/^\+/u, ''),
      biz_opaque_callback_data: message.id,
      ...contentOf(message),
    };
    const url = `${baseUrl}/${phoneNumberId}/messages`;
    const { body } = await request({ url, headers: bearer(accessToken), json }, Sent);
    return body.messages[0].id;
  },
  async check({ secret: { accessToken, phoneNumberId, baseUrl = GRAPH }, request }) {
    const url = `${baseUrl}/${phoneNumberId}?fields=display_phone_number,verified_name`;
    const { body } = await request({ url, headers: bearer(accessToken) }, PhoneNumber);
    return `the number ${body.display_phone_number} of ${body.verified_name ?? 'an unnamed business'}`;
  },
});
