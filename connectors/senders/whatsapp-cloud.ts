// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages
// Free text is accepted only within 24 hours of the person's last message; after that it needs an approved template, and
// WhatsApp answers with error 131047.

import * as z from 'zod';
import { refusal, type Sender } from '../../core/triggers/sender.ts';
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

/** Too many requests, and temporary faults of Meta. */
const passing: ReadonlySet<number> = new Set([
  1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 133016,
]);

export const whatsappCloud = ({ fetch, secret }: SenderContext): Sender => ({
  id: 'whatsapp-cloud',
  provider: 'meta',
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
    throw refusal(
      `WhatsApp refused the message with code ${code}. 131047: more than 24 hours since the person's last message; 190: the access token has expired.`,
      { retry: passing.has(code) || response.status >= 500 ? 'later' : 'never' },
    );
  },
});
