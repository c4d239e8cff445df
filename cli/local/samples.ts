import { metaSigner, type Sample, sendgridSigner, twilioSigner } from './sample-signers.ts';

export interface Samples {
  readonly deliveries: readonly SampleDelivery[];
  /** The secret of each provider as an admin would store it. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A webhook, and what the hub learns of it. */
interface SampleDelivery extends Sample {
  /** The number of interactions that it adds. */
  readonly interactions: number;
  /** Whom the hub did not know before this or another of the samples. */
  readonly person?: 'Ada' | 'Grace' | 'Bob' | 'a stranger';
}

export interface SampleCounts {
  readonly deliveries: number;
  readonly refused: number;
  /** Answered 404, because hub.yaml switches the channel off. */
  readonly off: number;
  readonly interactions: number;
  readonly customers: number;
  /** Records by CRM and object. */
  readonly crm: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly notifications: Readonly<Record<'email' | 'sms' | 'push', number>>;
  readonly suppressed: number;
  readonly failures: number;
}

/** A customer whom the business knows before the first webhook, with its app on their phone. */
export const knownCustomer = { phone: '+393331112233', device: 'device-of-chiara' } as const;
/** A customer of whom the business knows no more than an address, which exists no longer. */
export const newsletterReader = { email: 'dora@example.net' } as const;

const ADA = '+14155550100';
const BOB = '+14155550111';
const BUSINESS = '+15005550006';

/**
 * A morning at Acme: webhooks in the recorded shapes of three providers, dated `now` (epoch milliseconds) and signed with
 * the secrets of the samples for the address `publicUrl`.
 */
export const samples = (now: number, publicUrl: string): Samples => {
  const twilio = twilioSigner(publicUrl);
  const sendgrid = sendgridSigner(Math.floor(now / 1000));
  const ada = twilio.sign('Ada asks by SMS', smsFields(ADA, 'SM0001', 'Hi, are you open on Sunday?'));
  const deliveries: SampleDelivery[] = [
    { ...ada, interactions: 1, person: 'Ada' },
    { ...ada, about: 'the same delivery again', interactions: 0 },
    { ...metaSigner.sign('Ada writes on WhatsApp', adaOnWhatsapp(now)), interactions: 1, person: 'Ada' },
    {
      ...sendgrid.sign('Grace writes an e-mail', 'multipart/form-data; boundary=sample', graceMail(now)),
      interactions: 1,
      person: 'Grace',
    },
    {
      ...sendgrid.sign('Grace gets and opens a newsletter', 'application/json', openedNewsletter(now)),
      interactions: 2,
      person: 'Grace',
    },
    {
      ...metaSigner.sign('a stranger asks on Messenger', messengerQuestion(now)),
      interactions: 1,
      person: 'a stranger',
    },
    {
      ...twilio.sign('an SMS to Ada is delivered', {
        MessageSid: 'SM0900',
        MessageStatus: 'delivered',
        From: BUSINESS,
        To: ADA,
        AccountSid: 'AC0',
      }),
      interactions: 1,
    },
    { ...metaSigner.sign('Chiara orders on WhatsApp', chiarasOrder(now)), interactions: 1 },
    { ...twilio.sign('Bob stops SMS', smsFields(BOB, 'SM0002', 'STOP')), interactions: 1, person: 'Bob' },
    {
      ...twilio.sign('a forged delivery', smsFields(ADA, 'SM0003', 'Transfer the money'), true),
      interactions: 0,
    },
    { ...metaSigner.sign('an event that concerns no person', templateApproved), interactions: 0 },
    { ...sendgrid.sign('an e-mail bounces', 'application/json', bouncedNewsletter(now)), interactions: 1 },
  ];
  return {
    deliveries,
    secrets: { twilio: twilio.secret, meta: metaSigner.secret, sendgrid: sendgrid.secret },
  };
};

const smsFields = (from: string, sid: string, text: string): Readonly<Record<string, string>> => ({
  MessageSid: sid,
  AccountSid: 'AC0',
  From: from,
  To: BUSINESS,
  Body: text,
  NumMedia: '0',
});

const whatsappPayload = (now: number, from: string, name: string, message: object): object => ({
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
            messages: [{ from, timestamp: String(Math.floor(now / 1000)), ...message }],
          },
        },
      ],
    },
  ],
});

const adaOnWhatsapp = (now: number): object =>
  whatsappPayload(now, ADA.slice(1), 'Ada Lovelace', {
    id: 'wamid.0001',
    type: 'text',
    text: { body: 'Me again, from WhatsApp' },
  });

const chiarasOrder = (now: number): object =>
  whatsappPayload(now, knownCustomer.phone.slice(1), 'Chiara', {
    id: 'wamid.0002',
    type: 'order',
    order: {
      catalog_id: '1',
      product_items: [{ product_retailer_id: 'sku-1', quantity: 1, item_price: 19.9, currency: 'EUR' }],
    },
  });

const messengerQuestion = (now: number): object => ({
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
});

const templateApproved = {
  object: 'whatsapp_business_account',
  entry: [
    { id: '100', changes: [{ field: 'message_template_status_update', value: { event: 'APPROVED' } }] },
  ],
};

/** A mail as the Inbound Parse of SendGrid posts it: one form field for each part. */
const graceMail = (now: number): string => {
  const fields = {
    headers: `Message-ID: <invoice-42@example.org>\nDate: ${new Date(now).toUTCString()}\nFrom: Grace Hopper <grace@example.org>\nSubject: Invoice 42`,
    from: 'Grace Hopper <grace@example.org>',
    to: 'hello@acme.example',
    subject: 'Invoice 42',
    dkim: '{@example.org : pass}',
    SPF: 'pass',
    text: 'Where can I find my invoice?',
    envelope: '{"from":"grace@example.org","to":["hello@acme.example"]}',
  };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--sample\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return `${parts.join('')}--sample--\r\n`;
};

const sendgridEvents = (now: number, events: readonly object[]): string =>
  JSON.stringify(events.map((event) => ({ timestamp: Math.floor(now / 1000), ...event })));

const openedNewsletter = (now: number): string =>
  sendgridEvents(now, [
    {
      email: 'grace@example.org',
      event: 'delivered',
      sg_event_id: 'ev-1',
      sg_message_id: 'news.1',
      'smtp-id': '<news@acme.example>',
    },
    { email: 'grace@example.org', event: 'open', sg_event_id: 'ev-2', sg_message_id: 'news.1' },
  ]);

const bouncedNewsletter = (now: number): string =>
  sendgridEvents(now, [
    {
      email: newsletterReader.email,
      event: 'bounce',
      type: 'bounce',
      reason: '550 unknown recipient',
      sg_event_id: 'ev-3',
      sg_message_id: 'news.2',
    },
  ]);
