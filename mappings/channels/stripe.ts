// https://docs.stripe.com/api/events/object
// Amounts are in the currency's smallest unit; some currencies have no smaller unit, others have three decimal places.
// Since version 2025-03-31 (basil) charges and intents have no `invoice`. The intent of an invoice names it in
// `payment_details.order_reference`; its charge does not name it at all.

import * as z from 'zod';
import { majorUnits } from '../../core/formats/money.ts';
import { defined, instantOf, parsePayload } from '../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Address = z.looseObject({ email: Text, name: Text, phone: Text });
/** An id, or the object itself where it is expanded. */
const Reference = z.union([z.string(), z.looseObject({ id: z.string() })]).nullish();
const idOf = (reference: z.infer<typeof Reference>): string | undefined =>
  (typeof reference === 'string' ? reference : reference?.id) || undefined;

const Metadata = z.record(z.string(), z.unknown()).nullish();
const SubscriptionDetails = z.looseObject({ subscription: Reference, metadata: Metadata });

const Subject = z.looseObject({
  id: Text,
  object: z.string(),
  amount: z.number().nullish(),
  amount_total: z.number().nullish(),
  amount_paid: z.number().nullish(),
  amount_due: z.number().nullish(),
  amount_refunded: z.number().nullish(),
  currency: Text,
  customer: Reference,
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
  payment_status: Text,
  mode: Text,
  reason: Text,
  failure_message: Text,
  last_payment_error: z.looseObject({ message: Text }).nullish(),
  cancellation_reason: Text,
  charge: Reference,
  payment_intent: Reference,
  invoice: Reference,
  subscription: Reference,
  parent: z.looseObject({ subscription_details: SubscriptionDetails.nullish() }).nullish(),
  payment_details: z.looseObject({ order_reference: Text }).nullish(),
  description: Text,
  metadata: Metadata,
  consent: z.looseObject({ promotions: Text }).nullish(),
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

const identifiersOf = (subject: Subject): string[] => {
  const { customer, billing_details: billing, customer_details: details } = subject;
  const id = subject.object === 'customer' ? subject.id : idOf(customer);
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

/** Where the business names its own order, so that the events of a shop and of Stripe are one purchase. */
const ORDER_NAMES = ['order_id', 'orderId', 'order', 'order_number', 'shopify_order_id'];

const ownOrderOf = ({ metadata, parent }: Subject): string | undefined => {
  const all = { ...parent?.subscription_details?.metadata, ...metadata };
  const own = ORDER_NAMES.map((name) => all[name]).find(
    (one) => (typeof one === 'string' && one !== '') || typeof one === 'number',
  );
  return own === undefined ? undefined : String(own);
};

const invoiceOf = ({ invoice, payment_details: details }: Subject): string | undefined => {
  const reference = details?.order_reference;
  return idOf(invoice) ?? (reference?.startsWith('in_') === true ? reference : undefined);
};

const subscriptionOf = ({ subscription, parent }: Subject): string | undefined =>
  idOf(subscription) ?? idOf(parent?.subscription_details?.subscription);

/**
 * What names the purchase. A payment sends a charge, an intent and perhaps a session: all three name the intent. One of a
 * subscription sends an invoice, an intent and perhaps a session: all three name the invoice.
 */
const purchaseOf = (subject: Subject): string | undefined => {
  const [intent, invoice] = [idOf(subject.payment_intent), invoiceOf(subject)];
  const own = subject.id ?? undefined;
  switch (subject.object) {
    case 'invoice':
      return own;
    case 'payment_intent':
      return invoice ?? own;
    case 'checkout.session':
      return intent ?? invoice ?? subscriptionOf(subject) ?? own;
    default:
      return invoice ?? intent ?? idOf(subject.charge) ?? own;
  }
};

type OrderStatus =
  | 'created'
  | 'paid'
  | 'changed'
  | 'completed'
  | 'cancelled'
  | 'refunded'
  | 'failed'
  | 'disputed';

const order =
  (status: OrderStatus) =>
  (subject: Subject): Partial<DecodedInteraction> => {
    const refunded = status === 'refunded' ? subject.amount_refunded : undefined;
    const amount =
      refunded ?? subject.amount_total ?? subject.amount_paid ?? subject.amount ?? subject.amount_due;
    const present =
      subject.payment_method_details?.type === 'card_present' ||
      subject.payment_method_types?.includes('card_present') === true;
    return {
      kind: 'order',
      channel: present ? 'in-person' : 'web',
      ...defined({ refersTo: status === 'disputed' ? idOf(subject.charge) : undefined }),
      properties: defined({
        status,
        order: ownOrderOf(subject) ?? purchaseOf(subject),
        subscription: subscriptionOf(subject),
        total: majorUnits(amount, subject.currency),
        currency: subject.currency?.toUpperCase(),
        reason:
          subject.failure_message ??
          subject.last_payment_error?.message ??
          subject.cancellation_reason ??
          subject.reason ??
          undefined,
        reference: subject.client_reference_id ?? undefined,
      }),
    };
  };

/** How Stripe describes the charge of an invoice. */
const OF_INVOICE = /^(?:Subscription (?:creation|update|cycle)|Payment for Invoice)\b/u;

/**
 * A charge that cannot name its invoice is no purchase of its own: `paid` is said by the invoice and its intent, and a
 * purchase would otherwise count twice.
 */
const charged = (subject: Subject): Partial<DecodedInteraction> => {
  const isUnnamed = idOf(subject.invoice) === undefined && OF_INVOICE.test(subject.description ?? '');
  return order(isUnnamed ? 'changed' : 'paid')(subject);
};

/** A session is complete before a slow payment has succeeded. One that only stores a card is no purchase. */
const completed = (subject: Subject): Partial<DecodedInteraction> =>
  subject.mode === 'setup'
    ? subscription('card_stored')(subject)
    : order(subject.payment_status === 'unpaid' ? 'created' : 'completed')(subject);

const subscription =
  (name: string) =>
  (subject: Subject): Partial<DecodedInteraction> => ({
    kind: 'behaviour',
    properties: defined({ name, status: subject.status ?? undefined }),
  });

const contact = (): Partial<DecodedInteraction> => ({ kind: 'contact-update' });

const acts: Readonly<Record<string, (subject: Subject) => Partial<DecodedInteraction>>> = {
  'charge.succeeded': charged,
  'charge.failed': order('failed'),
  'charge.refunded': order('refunded'),
  'charge.dispute.created': order('disputed'),
  'checkout.session.completed': completed,
  'checkout.session.async_payment_succeeded': order('paid'),
  'checkout.session.async_payment_failed': order('failed'),
  'checkout.session.expired': subscription('checkout_expired'),
  'payment_intent.succeeded': order('paid'),
  'payment_intent.payment_failed': order('failed'),
  'payment_intent.canceled': order('cancelled'),
  'invoice.paid': order('paid'),
  'invoice.payment_failed': order('failed'),
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
  const interaction: DecodedInteraction = {
    key: id,
    kind: 'unknown',
    channel: 'web',
    direction: 'inbound',
    identifiers: identifiersOf(subject),
    ...defined({ externalId: subject.id ?? undefined, occurredAt: instantOf(created) }),
    ...(name && { profile: { name: { full: name } } }),
    ...act(subject),
  };
  return { ignored: [], interactions: [interaction, ...promotions(interaction, type, subject)] };
};

/** The buyer's answer to the question about promotions, which the checkout may ask. */
const promotions = (
  { key, identifiers, occurredAt }: DecodedInteraction,
  type: string,
  { consent }: Subject,
): DecodedInteraction[] => {
  const kind = consent?.promotions === 'opt_in' ? 'opt-in' : 'opt-out';
  if (type !== 'checkout.session.completed' || !/^opt_(?:in|out)$/u.test(consent?.promotions ?? ''))
    return [];
  return [
    {
      ...{ key: `${key}:promotions`, kind, channel: 'email', direction: 'inbound', identifiers },
      ...defined({ occurredAt }),
      properties: { scope: 'marketing' },
    },
  ];
};

export const stripe = channelMapping({
  id: 'stripe',
  channels: ['web', 'in-person', 'email'],
  kinds: ['order', 'behaviour', 'contact-update', 'opt-in', 'opt-out'],
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
