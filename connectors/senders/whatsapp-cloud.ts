// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages
// Free text is accepted only within 24 hours of the person's last message; after that it needs an approved template, and
// WhatsApp answers with error 131047.

import * as z from 'zod';
import { NotNow, type NotNowReason, refusal, type Sender } from '../../core/triggers/sender.ts';
import type { SenderContext } from './context.ts';

const Secret = z.object({
  accessToken: z.string().min(1),
  phoneNumberId: z.string().min(1),
  baseUrl: z.url().default('https://graph.facebook.com/v23.0'),
});
const Answer = z.looseObject({
  messages: z.array(z.looseObject({ id: z.string() })).optional(),
  error: z.looseObject({ code: z.number(), message: z.string().optional() }).optional(),
});

/** https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const notNow: Readonly<Record<number, NotNowReason>> = {
  ...{ 4: 'rate', 80007: 'rate', 130429: 'rate' },
  // Too many messages to this recipient.
  131056: 'message',
  // Too many people have blocked the number or reported it; the number is registered anew too often.
  ...{ 131048: 'account', 133016: 'account' },
  ...{ 1: 'down', 2: 'down', 131000: 'down', 131016: 'down' },
};

export const whatsappCloud = ({ fetch, secret, timeLimit }: SenderContext): Sender => ({
  id: 'whatsapp-cloud',
  provider: 'meta',
  // https://developers.facebook.com/docs/whatsapp/throughput: for each number of a business.
  usual: { rate: { count: 80, windowMs: 1000 } },
  async send(message) {
    const { accessToken, phoneNumberId, baseUrl } = Secret.parse(await secret('whatsapp-cloud'));
    const content = message.template
      ? {
          type: 'template',
          template: {
            name: message.template.name,
            language: { code: message.template.language },
            components: [
              {
                type: 'body',
                parameters: message.template.parameters.map((text) => ({ type: 'text', text })),
              },
            ],
          },
        }
      : { type: 'text', text: { body: message.text } };
    const response = await fetch(`${baseUrl}/${phoneNumberId}/messages`, {
      method: 'POST',
      signal: timeLimit(),
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        messaging_product: 'whatsapp',
        recipient_type: 'individual',
        to: message.to.replace(/^\+/u, ''),
        biz_opaque_callback_data: message.id,
        ...content,
      }),
    });
    const answer = Answer.parse(await response.json());
    const id = answer.messages?.[0]?.id;
    if (id !== undefined) return id;
    const code = answer.error?.code ?? response.status;
    const why = notNow[code] ?? (response.status >= 500 ? 'down' : undefined);
    if (why !== undefined)
      throw new NotNow(
        why,
        `WhatsApp does not take the message for now (code ${code}); it waits. 131048: too many people have blocked the number, look at its quality in WhatsApp Manager.`,
      );
    throw refusal(
      `WhatsApp refused the message with code ${code}. 131047: more than 24 hours since the person's last message; 190: the access token has expired.`,
    );
  },
});
