// https://docs.stripe.com/api/events/object
// Amounts are in the currency's smallest unit; some currencies have no smaller unit, others have three decimal places.

import * as z from 'zod';
import { defined, instantOf, parsePayload } from '../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Address = z.looseObject({ email: Text, name: Text, phone: Text });
const Subject = z.looseObject({
  id: Text,
  object: z.string(),
  amount: z.number().nullish(),
  amount_total: z.number().nullish(),
  amount_paid: z.number().nullish(),
  amount_due: z.number().nullish(),
  amount_refunded: z.number().nullish(),
  currency: Text,
  customer: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  billing_details: Address.nullish(),
  customer_details: Address.nullish(),
  receipt_email: Text,
  customer_email: Text,
  customer_name: Text,
  customer_phone: Text,
  email: Text,
  name: Text,
  phone: Text,
  client_reference_id: Text,
  status: Text,
  payment_method_details: z.looseObject({ type: Text }).nullish(),
  payment_method_types: z.array(z.string()).nullish(),
});
type Subject = z.infer<typeof Subject>;
const Event = z.looseObject({
  id: z.string(),
  type: z.string(),
  created: z.number(),
  data: z.looseObject({ object: z.looseObject({ object: z.string().optional() }) }),
});

const noDecimals = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' '));
const threeDecimals = new Set('bhd jod kwd omr tnd'.split(' '));

const decimal = (
  amount: number | null | undefined,
  currency: string | null | undefined,
): string | undefined => {
  if (amount === null || amount === undefined) return undefined;
  const digits = noDecimals.has(currency ?? '') ? 0 : threeDecimals.has(currency ?? '') ? 3 : 2;
  return (amount / 10 ** digits).toFixed(digits);
};

const identifiersOf = (subject: Subject): string[] => {
  const { customer, billing_details: billing, customer_details: details } = subject;
  const id =
    subject.object === 'customer' ? subject.id : typeof customer === 'string' ? customer : customer?.id;
  const emails = [
    details?.email,
    subject.customer_email,
    billing?.email,
    subject.receipt_email,
    subject.email,
  ];
  const phones = [details?.phone, subject.customer_phone, billing?.phone, subject.phone];
  return [
    ...(id ? [`stripe:${id}`] : []),
    ...new Set(emails.flatMap((one) => (one ? [`email:${one}`] : []))),
    ...phoneIdentifiers(...phones),
  ];
};

const order =
  (status: string) =>
  (subject: Subject): Partial<DecodedInteraction> => {
    const refunded = status === 'refunded' ? subject.amount_refunded : undefined;
    const amount =
      refunded ?? subject.amount_total ?? subject.amount_paid ?? subject.amount ?? subject.amount_due;
    const total = decimal(amount, subject.currency);
    const present =
      subject.payment_method_details?.type === 'card_present' ||
      subject.payment_method_types?.includes('card_present') === true;
    return {
      kind: 'order',
      channel: present ? 'in-person' : 'web',
      properties: defined({
        status,
        total,
        currency: subject.currency?.toUpperCase(),
        reference: subject.client_reference_id ?? undefined,
      }),
    };
  };

const subscription =
  (name: string) =>
  (subject: Subject): Partial<DecodedInteraction> => ({
    kind: 'behaviour',
    properties: defined({ name, status: subject.status ?? undefined }),
  });

const contact = (): Partial<DecodedInteraction> => ({ kind: 'contact-update' });

const acts: Readonly<Record<string, (subject: Subject) => Partial<DecodedInteraction>>> = {
  'charge.succeeded': order('paid'),
  'charge.failed': order('failed'),
  'charge.refunded': order('refunded'),
  'charge.dispute.created': order('disputed'),
  'checkout.session.completed': order('completed'),
  'checkout.session.async_payment_succeeded': order('paid'),
  'checkout.session.async_payment_failed': order('failed'),
  'checkout.session.expired': subscription('checkout_expired'),
  'payment_intent.succeeded': order('paid'),
  'payment_intent.payment_failed': order('failed'),
  'invoice.paid': order('invoice-paid'),
  'invoice.payment_failed': order('invoice-failed'),
  'customer.created': contact,
  'customer.updated': contact,
  'customer.subscription.created': subscription('subscription_created'),
  'customer.subscription.updated': subscription('subscription_updated'),
  'customer.subscription.deleted': subscription('subscription_ended'),
  'customer.subscription.trial_will_end': subscription('trial_will_end'),
};

const nameOf = (subject: Subject): string | null | undefined =>
  subject.customer_details?.name ??
  subject.customer_name ??
  subject.billing_details?.name ??
  (subject.object === 'customer' ? subject.name : undefined);

const decode = ({ body }: Delivery): Drafts => {
  const { id, type, created, data } = Event.parse(parsePayload(body));
  const act = Object.hasOwn(acts, type) ? acts[type] : undefined;
  if (act === undefined) return { interactions: [], ignored: [type] };
  const subject = Subject.parse(data.object);
  const name = nameOf(subject);
  return {
    ignored: [],
    interactions: [
      {
        key: id,
        kind: 'unknown',
        channel: 'web',
        direction: 'inbound',
        identifiers: identifiersOf(subject),
        ...defined({ externalId: subject.id ?? undefined, occurredAt: instantOf(created) }),
        ...(name && { profile: { name: { full: name } } }),
        ...act(subject),
      },
    ],
  };
};

export const stripe = channelMapping({
  id: 'stripe',
  channels: ['web', 'in-person'],
  kinds: ['order', 'behaviour', 'contact-update'],
  vouching: [
    {
      field: 'customer, or id of a customer',
      type: 'stripe',
      proof: 'proven',
      why: 'the server of the business names the customer; a payer cannot',
    },
    typed(
      'customer_details.email, billing_details.email, receipt_email, customer_email, email',
      'email',
      'the payer types it at checkout',
    ),
    typed(
      'customer_details.phone, billing_details.phone, customer_phone, phone',
      'phone',
      'the payer types it at checkout',
    ),
  ],
  decode,
});
