import { createSign, generateKeyPairSync } from 'node:crypto';
import { hmac } from '../../core/webhooks/signature.ts';

/** A webhook as its provider would send it now. */
export interface Sample {
  readonly about: string;
  readonly provider: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The status that the hub must answer. */
  readonly status: number;
}

export interface Samples {
  readonly deliveries: readonly Sample[];
  /** By provider: what an admin would have stored. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the deliveries imply, counted by hand. */
  readonly expected: SampleCounts;
}

export interface SampleCounts {
  readonly deliveries: number;
  readonly refused: number;
  readonly interactions: number;
  readonly customers: number;
  readonly crm: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly notifications: Readonly<Record<'email' | 'sms' | 'push', number>>;
  readonly suppressed: number;
}

/** Somebody whom the business knows already, with the app on the phone. */
export const knownCustomer = { phone: '+393331112233', device: 'device-of-chiara' } as const;

const twilioToken = 'sample-twilio-auth-token';
const metaSecret = 'sample-meta-app-secret';

/**
 * A morning at Acme, in recorded shapes of three providers, moved to `now` (epoch milliseconds) and signed with secrets
 * made for this machine, so that it is as fresh as what a provider sends.
 */
export const samples = (now: number, publicUrl: string): Samples => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const seconds = Math.floor(now / 1000);

  const twilio = (about: string, fields: Readonly<Record<string, string>>, forged = false): Sample => {
    const sorted = Object.keys(fields)
      .sort()
      .map((name) => `${name}${fields[name]}`)
      .join('');
    const signature = hmac(
      'sha1',
      forged ? 'somebody else' : twilioToken,
      'base64',
      `${publicUrl}/webhooks/twilio`,
      sorted,
    );
    return {
      about,
      provider: 'twilio',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
      body: new URLSearchParams(fields).toString(),
      status: forged ? 401 : 200,
    };
  };
  const sms = (from: string, sid: string, text: string): Readonly<Record<string, string>> => ({
    MessageSid: sid,
    AccountSid: 'AC0',
    From: from,
    To: '+15005550006',
    Body: text,
    NumMedia: '0',
  });

  const meta = (about: string, payload: object): Sample => {
    const body = JSON.stringify(payload);
    return {
      about,
      provider: 'meta',
      headers: {
        'content-type': 'application/json',
        'x-hub-signature-256': `sha256=${hmac('sha256', metaSecret, 'hex', body)}`,
      },
      body,
      status: 200,
    };
  };
  const whatsapp = (from: string, name: string, message: object): object => ({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '100',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '15005550006', phone_number_id: '200' },
              contacts: [{ profile: { name }, wa_id: from }],
              messages: [{ from, timestamp: String(seconds), ...message }],
            },
          },
        ],
      },
    ],
  });

  const sendgrid = (about: string, contentType: string, body: string): Sample => {
    const timestamp = String(seconds);
    const signature = createSign('sha256')
      .update(timestamp + body)
      .sign(privateKey, 'base64');
    return {
      about,
      provider: 'sendgrid',
      headers: {
        'content-type': contentType,
        'x-twilio-email-event-webhook-signature': signature,
        'x-twilio-email-event-webhook-timestamp': timestamp,
      },
      body,
      status: 200,
    };
  };
  const events = (list: readonly object[]): string =>
    JSON.stringify(list.map((event) => ({ timestamp: seconds, ...event })));
  const parse = (fields: Readonly<Record<string, string>>): string =>
    `${Object.entries(fields)
      .map(
        ([name, value]) => `--sample\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      .join('')}--sample--\r\n`;

  const ada = twilio('Ada asks by SMS', sms('+14155550100', 'SM0001', 'Hi, are you open on Sunday?'));
  const mailHeaders = `Message-ID: <invoice-42@example.org>\nDate: ${new Date(now).toUTCString()}\nFrom: Grace Hopper <grace@example.org>\nSubject: Invoice 42`;
  const deliveries: Sample[] = [
    ada,
    { ...ada, about: 'the same delivery once more' },
    meta(
      'Ada goes on, on WhatsApp',
      whatsapp('14155550100', 'Ada Lovelace', {
        id: 'wamid.0001',
        type: 'text',
        text: { body: 'Me again, from WhatsApp' },
      }),
    ),
    sendgrid(
      'Grace writes an e-mail',
      'multipart/form-data; boundary=sample',
      parse({
        headers: mailHeaders,
        from: 'Grace Hopper <grace@example.org>',
        to: 'hello@acme.example',
        subject: 'Invoice 42',
        text: 'Where can I find my invoice?',
        envelope: '{"from":"grace@example.org","to":["hello@acme.example"]}',
      }),
    ),
    sendgrid(
      'a newsletter reaches Grace, who opens it',
      'application/json',
      events([
        {
          email: 'grace@example.org',
          event: 'delivered',
          sg_event_id: 'ev-1',
          sg_message_id: 'news.1',
          'smtp-id': '<news@acme.example>',
        },
        { email: 'grace@example.org', event: 'open', sg_event_id: 'ev-2', sg_message_id: 'news.1' },
      ]),
    ),
    meta('somebody asks on Messenger', {
      object: 'page',
      entry: [
        {
          id: '300',
          time: now,
          messaging: [
            {
              sender: { id: '5678' },
              recipient: { id: '300' },
              timestamp: now,
              message: { mid: 'm_0001', text: 'Is my parcel on its way?' },
            },
          ],
        },
      ],
    }),
    twilio('an SMS to Ada was delivered', {
      MessageSid: 'SM0900',
      MessageStatus: 'delivered',
      From: '+15005550006',
      To: '+14155550100',
      AccountSid: 'AC0',
    }),
    meta(
      'Chiara orders on WhatsApp',
      whatsapp(knownCustomer.phone.slice(1), 'Chiara', {
        id: 'wamid.0002',
        type: 'order',
        order: {
          catalog_id: '1',
          product_items: [{ product_retailer_id: 'sku-1', quantity: 1, item_price: 19.9, currency: 'EUR' }],
        },
      }),
    ),
    twilio('Bob wants no more SMS', sms('+14155550111', 'SM0002', 'STOP')),
    twilio('a forged delivery', sms('+14155550100', 'SM0003', 'Transfer the money'), true),
    meta('a notice that concerns no person', {
      object: 'whatsapp_business_account',
      entry: [
        { id: '100', changes: [{ field: 'message_template_status_update', value: { event: 'APPROVED' } }] },
      ],
    }),
    sendgrid(
      'an address that does not exist',
      'application/json',
      events([
        {
          email: 'nobody@example.net',
          event: 'bounce',
          type: 'bounce',
          reason: '550 unknown recipient',
          sg_event_id: 'ev-3',
          sg_message_id: 'news.2',
        },
      ]),
    ),
  ];
  return {
    deliveries,
    secrets: {
      twilio: { authToken: twilioToken },
      meta: { appSecret: metaSecret, verifyToken: 'sample-verify-token' },
      sendgrid: { publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') },
    },
    expected: {
      deliveries: deliveries.length,
      refused: 1,
      // Ten acts of people and providers, and the three messages that they set off.
      interactions: 13,
      customers: 6,
      crm: {
        salesforce: { Contact: 6, Task: 9 },
        hubspot: { contacts: 6, communications: 4, emails: 2, notes: 3 },
      },
      notifications: { email: 1, sms: 1, push: 1 },
      suppressed: 2,
    },
  };
};
