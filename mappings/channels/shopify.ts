// https://shopify.dev/docs/api/webhooks
// X-Shopify-Event-Id is the same for all webhooks of one change, X-Shopify-Webhook-Id for the attempts of one webhook. Ids
// have 64 bits.

import * as z from 'zod';
import { amountOf } from '../../core/formats/money.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Consent = z.looseObject({ state: Text, consent_updated_at: Text }).nullish();
const Price = z.union([z.string(), z.number()]).nullish();
const Person = z.looseObject({
  id: VendorId.nullish(),
  email: Text,
  phone: Text,
  first_name: Text,
  last_name: Text,
  tags: Text,
  state: Text,
  verified_email: z.boolean().nullish(),
  email_marketing_consent: Consent,
  sms_marketing_consent: Consent,
});
type Person = z.infer<typeof Person>;
const Payload = Person.extend({
  customer: Person.nullish(),
  customer_id: VendorId.nullish(),
  contact_email: Text,
  email_address: Text,
  created_at: Text,
  updated_at: Text,
  cancelled_at: Text,
  name: Text,
  token: Text,
  cart_token: Text,
  order_id: VendorId.nullish(),
  total_price: Price,
  currency: Text,
  source_name: Text,
  location_id: VendorId.nullish(),
  financial_status: Text,
  fulfillment_status: Text,
  shipment_status: Text,
  completed_at: Text,
  note: Text,
  cancel_reason: Text,
  abandoned_checkout_url: Text,
  /** Of a refund. */
  transactions: z.array(z.looseObject({ amount: Price, currency: Text, kind: Text })).nullish(),
  /** Of a merge of two customers. */
  admin_graphql_api_customer_kept_id: Text,
  admin_graphql_api_customer_deleted_id: Text,
  line_items: z
    .array(
      z.looseObject({
        title: Text,
        quantity: z.number().nullish(),
        price: Price,
        price_set: z.looseObject({ shop_money: z.looseObject({ currency_code: Text }).nullish() }).nullish(),
      }),
    )
    .nullish(),
});
type Payload = z.infer<typeof Payload>;

const identifiersOf = (
  person: Person | null | undefined,
  ...emails: readonly (string | null | undefined)[]
): string[] => [
  ...(person?.id ? [`shopify:${person.id}`] : []),
  ...[...new Set([person?.email, ...emails])].flatMap((one) => (one ? [`email:${one}`] : [])),
  ...phoneIdentifiers(person?.phone),
];

const hints = (person: Person | null | undefined): Pick<DecodedInteraction, 'profile'> => {
  const name = {
    ...(person?.first_name && { first: person.first_name }),
    ...(person?.last_name && { last: person.last_name }),
  };
  return Object.keys(name).length > 0 ? { profile: { name } } : {};
};

type OrderStatus = 'created' | 'paid' | 'changed' | 'shipped' | 'delivered' | 'cancelled' | 'refunded';

const bought = (payload: Payload, status: OrderStatus): Partial<DecodedInteraction> => {
  const { customer, email, contact_email, phone, source_name, location_id } = payload;
  const { currency, name, note } = payload;
  const order = payload.order_id ?? payload.id ?? undefined;
  return {
    kind: 'order',
    channel: source_name === 'pos' ? 'in-person' : 'web',
    identifiers: [
      ...identifiersOf(customer, email, contact_email),
      ...phoneIdentifiers(phone === customer?.phone ? undefined : phone),
    ],
    ...hints(customer),
    ...defined({ externalId: order, text: note?.trim() || undefined }),
    properties: {
      status,
      ...defined({
        order,
        name: name ?? undefined,
        total: amountOf(payload.total_price),
        currency: currency?.toUpperCase(),
        reason: payload.cancel_reason ?? undefined,
        location: location_id ?? undefined,
        financialStatus: payload.financial_status ?? undefined,
        fulfillmentStatus: payload.fulfillment_status ?? undefined,
      }),
      items: itemsOf(payload),
    },
  };
};

const itemsOf = ({ line_items }: Payload): z.util.JSONType[] =>
  (line_items ?? []).map(({ title, quantity, price }) =>
    defined({ title: title ?? undefined, quantity: quantity ?? undefined, price: amountOf(price) }),
  );

/** A part of an order on its way; a shipment names its order. */
const shipped = (payload: Payload): Partial<DecodedInteraction> =>
  bought(payload, payload.shipment_status === 'delivered' ? 'delivered' : 'shipped');

/** A shipment that changed is no second shipment. */
const shipmentChanged = (payload: Payload): Partial<DecodedInteraction> =>
  bought(payload, payload.shipment_status === 'delivered' ? 'delivered' : 'changed');

/** A refund names its order, but nobody: it belongs to whom the order belongs to. */
const refunded = (payload: Payload): Partial<DecodedInteraction> => {
  const { properties, ...act } = bought(payload, 'refunded');
  const paid = (payload.transactions ?? []).filter(({ kind }) => kind === 'refund' || !kind);
  const total = paid.reduce((sum, { amount }) => sum + (amountOf(amount) ?? 0), 0);
  return {
    ...act,
    ...defined({ refersTo: payload.order_id ?? undefined }),
    properties: {
      ...properties,
      ...(paid.length > 0 && { total: Number(total.toFixed(3)) }),
      ...defined({ currency: paid[0]?.currency?.toUpperCase() }),
    },
  };
};

/** What lies in a cart, or in a checkout that is not finished. A cart names nobody: its token is the visitor's. */
const cart = (payload: Payload): Partial<DecodedInteraction> => {
  const { kind: _kind, properties, externalId: _order, text: _note, ...rest } = bought(payload, 'changed');
  const { status: _status, order: _cart, ...details } = properties ?? {};
  const lines = payload.line_items ?? [];
  const total = lines.reduce((sum, { price, quantity }) => sum + (amountOf(price) ?? 0) * (quantity ?? 1), 0);
  const currency = payload.currency ?? lines[0]?.price_set?.shop_money?.currency_code;
  const url = payload.abandoned_checkout_url;
  const token = payload.cart_token ?? payload.token ?? payload.id;
  return {
    ...rest,
    kind: 'behaviour',
    ...(rest.identifiers?.length === 0 && token && { identifiers: [`anonymous:${token}`] }),
    properties: {
      ...details,
      name: payload.completed_at ? 'checkout_completed' : 'cart_updated',
      total: amountOf(payload.total_price) ?? Number(total.toFixed(3)),
      ...(currency && { currency: currency.toUpperCase() }),
      ...(url && { url }),
    },
  };
};

/** When a customer has an account with an address that Shopify verified, for the table of who vouches. */
const ACCOUNT = '`state` is enabled and `verified_email` is true, or staff merged two customers';

const customer = (payload: Payload): Partial<Draft> => ({
  kind: 'contact-update',
  identifiers: identifiersOf(payload),
  vouched: payload.state === 'enabled' && payload.verified_email === true,
  ...hints(payload),
});

/** The number of a customer in an id of the GraphQL API. */
const customerId = (id: string | null | undefined): string[] => {
  const [, number] = /^gid:\/\/shopify\/Customer\/(\d+)$/u.exec(id ?? '') ?? [];
  return number === undefined ? [] : [`shopify:${number}`];
};

/** Staff merged two customers: the id of the deleted one is the same person's. */
const merged = (payload: Payload): Partial<Draft> | undefined => {
  const identifiers = customerId(payload.admin_graphql_api_customer_kept_id);
  const becomes = customerId(payload.admin_graphql_api_customer_deleted_id);
  return identifiers.length === 0 || becomes.length === 0
    ? undefined
    : { kind: 'contact-update', direction: 'system', identifiers, becomes, vouched: true };
};

/** A customer's consent to marketing on one channel. */
const consent = (channel: 'email' | 'sms', payload: Payload): Partial<DecodedInteraction> | undefined => {
  const { state, consent_updated_at: at } =
    (channel === 'email' ? payload.email_marketing_consent : payload.sms_marketing_consent) ?? {};
  const kind = state === 'subscribed' ? 'opt-in' : state === 'unsubscribed' ? 'opt-out' : undefined;
  if (kind === undefined) return undefined;
  return {
    kind,
    channel,
    identifiers: identifiersOf(payload, payload.email_address),
    // When the answer was given, which may be long before the webhook.
    ...defined({ occurredAt: readTime(at) }),
    ...(kind === 'opt-out' && { properties: { scope: 'marketing' } }),
  };
};

const acts: Readonly<Record<string, (payload: Payload) => Partial<Draft> | undefined>> = {
  'orders/create': (payload) => bought(payload, 'created'),
  'orders/paid': (payload) => bought(payload, 'paid'),
  'orders/updated': (payload) => bought(payload, 'changed'),
  'orders/edited': (payload) => bought(payload, 'changed'),
  'orders/cancelled': (payload) => bought(payload, 'cancelled'),
  'orders/fulfilled': (payload) => bought(payload, 'shipped'),
  'orders/partially_fulfilled': (payload) => bought(payload, 'shipped'),
  'fulfillments/create': shipped,
  'fulfillments/update': shipmentChanged,
  'refunds/create': refunded,
  'carts/create': cart,
  'carts/update': cart,
  'checkouts/create': cart,
  'checkouts/update': cart,
  'customers/create': customer,
  'customers/update': customer,
  'customers/enable': customer,
  'customers/disable': customer,
  'customers/merge': merged,
  'customers_email_marketing_consent/update': (payload) =>
    consent('email', { ...payload, id: payload.customer_id ?? payload.id }),
  'customers_marketing_consent/update': (payload) =>
    consent('sms', { ...payload, id: payload.customer_id ?? payload.id }),
  'customers/data_request': ({ customer }) => ({
    kind: 'privacy-export',
    direction: 'system',
    identifiers: identifiersOf(customer),
  }),
  'customers/redact': ({ customer }) => ({
    kind: 'privacy-erasure',
    direction: 'system',
    identifiers: identifiersOf(customer),
  }),
};

const decode = ({ headers, body, receivedAt }: Delivery): Drafts => {
  const topic = headers['x-shopify-topic'] ?? '';
  const read = parseJson(body);
  const id = headers['x-shopify-event-id'] ?? headers['x-shopify-webhook-id'];
  const ignored: Drafts = { interactions: [], ignored: [topic || 'no topic'] };
  // Other topics have other shapes under the same names.
  if (!Object.hasOwn(acts, topic) || id === undefined) return ignored;
  const payload = Payload.parse(read);
  const act = acts[topic]?.(payload);
  if (act === undefined) return ignored;
  const triggered = readTime(headers['x-shopify-triggered-at']);
  const when = topic.endsWith('/create') ? readTime(payload.created_at) : readTime(payload.updated_at);
  return {
    ignored: [],
    interactions: [
      {
        key: `${topic}:${id}`,
        kind: 'unknown',
        channel: 'web',
        direction: 'inbound',
        identifiers: [],
        occurredAt: (act.direction === 'system' ? triggered : (when ?? triggered)) ?? receivedAt,
        ...act,
      },
    ],
  };
};

export const shopify = channelMapping({
  id: 'shopify',
  channels: ['web', 'in-person', 'email', 'sms'],
  kinds: ['order', 'behaviour', 'contact-update', 'opt-in', 'opt-out', 'privacy-export', 'privacy-erasure'],
  vouching: [
    {
      field: 'id of a customer',
      type: 'shopify',
      on: { kinds: ['contact-update'] },
      proof: { provenIf: ACCOUNT },
      why: 'the customer signs in to an account of the shop',
    },
    {
      field: 'email of a customer',
      type: 'email',
      on: { kinds: ['contact-update'] },
      proof: { provenIf: ACCOUNT },
      why: 'Shopify sent a link or a code to it',
    },
    typed(
      'customer.id of an order, a checkout or a consent',
      'shopify',
      'Shopify finds the customer by the address typed at checkout, and does not say whether the buyer had signed in. `proof: { shopify: proven }` if the shop requires it',
    ),
    typed('email, contact_email', 'email', 'it is typed at checkout or into the newsletter form'),
    typed('phone', 'phone', 'it is typed at checkout'),
    typed('token of a cart', 'anonymous', 'a device can be shared, and its id copied'),
  ],
  decode,
});
