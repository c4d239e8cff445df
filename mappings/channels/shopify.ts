// https://shopify.dev/docs/api/webhooks
// X-Shopify-Event-Id is the same for all webhooks of one change, X-Shopify-Webhook-Id for the attempts of one webhook. Ids
// have 64 bits.

import * as z from 'zod';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Person = z.looseObject({
  id: VendorId.nullish(),
  email: Text,
  phone: Text,
  first_name: Text,
  last_name: Text,
  tags: Text,
  state: Text,
  verified_email: z.boolean().nullish(),
  email_marketing_consent: z.looseObject({ state: Text }).nullish(),
  sms_marketing_consent: z.looseObject({ state: Text }).nullish(),
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
  total_price: z.union([z.string(), z.number()]).nullish(),
  currency: Text,
  source_name: Text,
  location_id: VendorId.nullish(),
  financial_status: Text,
  fulfillment_status: Text,
  abandoned_checkout_url: Text,
  line_items: z
    .array(
      z.looseObject({
        title: Text,
        quantity: z.number().nullish(),
        price: z.union([z.string(), z.number()]).nullish(),
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

const bought = (payload: Payload, status: string): Partial<DecodedInteraction> => {
  const { customer, email, contact_email, phone, source_name, location_id } = payload;
  const { total_price: total, currency, name } = payload;
  return {
    kind: 'order',
    channel: source_name === 'pos' ? 'in-person' : 'web',
    identifiers: [
      ...identifiersOf(customer, email, contact_email),
      ...phoneIdentifiers(phone === customer?.phone ? undefined : phone),
    ],
    ...hints(customer),
    ...defined({ externalId: payload.order_id ?? payload.id ?? undefined }),
    properties: {
      status,
      ...defined({
        name: name ?? undefined,
        total: total ?? undefined,
        currency: currency ?? undefined,
        location: location_id ?? undefined,
        financialStatus: payload.financial_status ?? undefined,
        fulfillmentStatus: payload.fulfillment_status ?? undefined,
      }),
      items: (payload.line_items ?? []).map(({ title, quantity, price }) =>
        defined({ title: title ?? undefined, quantity: quantity ?? undefined, price: price ?? undefined }),
      ),
    },
  };
};

const behaviour = (payload: Payload, name: string): Partial<DecodedInteraction> => {
  const { kind: _, properties, ...rest } = bought(payload, name);
  const url = payload.abandoned_checkout_url;
  return { ...rest, kind: 'behaviour', properties: { ...properties, name, ...(url && { url }) } };
};

/** When a customer has an account with an address that Shopify verified, for the table of who vouches. */
const ACCOUNT = '`state` is enabled and `verified_email` is true';

const customer = (payload: Payload): Partial<Draft> => ({
  kind: 'contact-update',
  identifiers: identifiersOf(payload),
  vouched: payload.state === 'enabled' && payload.verified_email === true,
  ...hints(payload),
});

/** A customer's consent to marketing on one channel. */
const consent = (channel: 'email' | 'sms', payload: Payload): Partial<DecodedInteraction> | undefined => {
  const { state } =
    (channel === 'email' ? payload.email_marketing_consent : payload.sms_marketing_consent) ?? {};
  const kind = state === 'subscribed' ? 'opt-in' : state === 'unsubscribed' ? 'opt-out' : undefined;
  if (kind === undefined) return undefined;
  return {
    kind,
    channel,
    identifiers: identifiersOf(payload, payload.email_address),
    ...(kind === 'opt-out' && { properties: { scope: 'marketing' } }),
  };
};

const acts: Readonly<Record<string, (payload: Payload) => Partial<Draft> | undefined>> = {
  'orders/create': (payload) => bought(payload, 'created'),
  'orders/paid': (payload) => bought(payload, 'paid'),
  'orders/updated': (payload) => bought(payload, 'updated'),
  'orders/edited': (payload) => bought(payload, 'edited'),
  'orders/cancelled': (payload) => bought(payload, 'cancelled'),
  'orders/fulfilled': (payload) => bought(payload, 'fulfilled'),
  'orders/partially_fulfilled': (payload) => bought(payload, 'partially-fulfilled'),
  'fulfillments/create': (payload) => bought(payload, 'shipped'),
  'fulfillments/update': (payload) => bought(payload, 'shipment-updated'),
  'checkouts/create': (payload) => behaviour(payload, 'checkout_started'),
  'checkouts/update': (payload) => behaviour(payload, 'checkout_updated'),
  'customers/create': customer,
  'customers/update': customer,
  'customers/enable': customer,
  'customers/disable': customer,
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
        occurredAt: (act.kind?.startsWith('privacy-') ? triggered : (when ?? triggered)) ?? receivedAt,
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
  ],
  decode,
});
