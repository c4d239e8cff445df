import { createSign, generateKeyPairSync } from 'node:crypto';
import { hmac } from '../../../core/webhooks/signature.ts';

/** A signed webhook. */
export interface Webhook {
  readonly provider: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Three providers whose webhooks can be signed without the vendor. */
export interface SigningProviders {
  /** The secrets that an admin stores, by provider. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  sms(message: { readonly id: string; readonly from: string; readonly text: string }): Webhook;
  /** A message from a number, from a business-scoped user id, or from both. `at`: epoch milliseconds. */
  whatsapp(message: {
    readonly id: string;
    readonly from?: string;
    readonly user?: string;
    readonly text: string;
    readonly at: number;
  }): Webhook;
  mail(message: {
    readonly id: string;
    readonly from: string;
    readonly text: string;
    readonly at: number;
  }): Webhook;
  /** The same webhook with a wrong signature. */
  forge(webhook: Webhook): Webhook;
}

/** A signature with one changed character. */
const damagedSignature = (signature: string): string =>
  `${signature.slice(0, -10)}${signature.at(-10) === 'a' ? 'b' : 'a'}${signature.slice(-9)}`;

export const signingProviders = (publicUrl: string): SigningProviders => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    secrets: {
      twilio: { authToken: 'twilio-token' },
      meta: { appSecret: 'meta-secret', verifyToken: 'meta-verify' },
      sendgrid: { publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') },
    },
    sms({ id, from, text }) {
      const fields = { Body: text, From: from, MessageSid: id, To: '+15005550006' };
      const sorted = Object.entries(fields).flat().join('');
      return {
        provider: 'twilio',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-twilio-signature': hmac(
            'sha1',
            'twilio-token',
            'base64',
            `${publicUrl}/webhooks/twilio`,
            sorted,
          ),
        },
        body: new URLSearchParams(fields).toString(),
      };
    },
    whatsapp({ id, from, user, text, at }) {
      const person = {
        ...(from !== undefined && { wa_id: from.slice(1) }),
        ...(user !== undefined && { user_id: user }),
      };
      const message = {
        ...(from !== undefined && { from: from.slice(1) }),
        ...(user !== undefined && { from_user_id: user }),
        ...{ id, timestamp: String(Math.floor(at / 1000)), type: 'text', text: { body: text } },
      };
      const value = {
        messaging_product: 'whatsapp',
        metadata: { display_phone_number: '15005550006', phone_number_id: '200' },
        contacts: [{ profile: { name: 'Somebody' }, ...person }],
        messages: [message],
      };
      const body = JSON.stringify({
        object: 'whatsapp_business_account',
        entry: [{ id: '100', changes: [{ field: 'messages', value }] }],
      });
      return {
        provider: 'meta',
        headers: {
          'content-type': 'application/json',
          'x-hub-signature-256': `sha256=${hmac('sha256', 'meta-secret', 'hex', body)}`,
        },
        body,
      };
    },
    mail({ id, from, text, at }) {
      const fields = {
        headers: `Message-ID: <${id}@example.org>\nDate: ${new Date(at).toUTCString()}\nFrom: ${from}\nSubject: Hello`,
        ...{ from, to: 'hello@acme.example', subject: 'Hello', text },
        envelope: JSON.stringify({ from, to: ['hello@acme.example'] }),
        dkim: `{@${from.slice(from.indexOf('@') + 1)} : pass}`,
      };
      const parts = Object.entries(fields).map(
        ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      );
      const body = `${parts.join('')}--b--\r\n`;
      const timestamp = String(Math.floor(at / 1000));
      return {
        provider: 'sendgrid',
        headers: {
          'content-type': 'multipart/form-data; boundary=b',
          'x-twilio-email-event-webhook-signature': createSign('sha256')
            .update(timestamp + body)
            .sign(privateKey, 'base64'),
          'x-twilio-email-event-webhook-timestamp': timestamp,
        },
        body,
      };
    },
    forge: (webhook) => ({
      ...webhook,
      headers: Object.fromEntries(
        Object.entries(webhook.headers).map(([name, value]) => [
          name,
          /signature(?:-256)?$/u.test(name) ? damagedSignature(value) : value,
        ]),
      ),
    }),
  };
};
