// https://segment.com/docs/connections/spec/
// An e-mail address among a track's properties was typed by the visitor; one among an identify's traits is known to the
// site. `group` describes a company: its traits belong to no person.

import * as z from 'zod';
import { JsonObject } from '../../core/formats/json.ts';
import { amountOf } from '../../core/formats/money.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, type Member, membersOf } from '../../core/webhooks/members.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const PUBLIC_KEY =
  'the write key is in the page: any visitor can call identify with any value. `proof: { segment: proven }` if yours is secret';
const Id = z.union([z.string(), z.number()]).transform(String).nullish();
const Details = JsonObject.nullish();
const Call = z.looseObject({
  type: z.string(),
  messageId: z.string(),
  userId: Id,
  anonymousId: Id,
  previousId: Id,
  groupId: Id,
  event: Text,
  name: Text,
  category: Text,
  properties: Details,
  traits: Details,
  context: z.looseObject({ timezone: Text, locale: Text, traits: Details }).nullish(),
  timestamp: Text,
  receivedAt: Text,
});
type Call = z.infer<typeof Call>;

const text = (details: z.infer<typeof Details>, key: string): string | undefined => {
  const value = details?.[key];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};

const nameOf = (traits: z.infer<typeof Details>): NonNullable<DecodedInteraction['profile']>['name'] => {
  const name = defined({
    full: text(traits, 'name'),
    first: text(traits, 'firstName') ?? text(traits, 'first_name'),
    last: text(traits, 'lastName') ?? text(traits, 'last_name'),
  });
  return Object.keys(name).length > 0 ? name : undefined;
};

const known: ReadonlySet<string> = new Set([
  'name',
  'firstName',
  'lastName',
  'first_name',
  'last_name',
  'email',
  'phone',
]);

const identify = ({ traits, context }: Call): Partial<DecodedInteraction> => ({
  kind: 'contact-update',
  profile: {
    ...defined({
      name: nameOf(traits),
      timeZone: context?.timezone ?? undefined,
      language: context?.locale ?? undefined,
    }),
    traits: Object.fromEntries(Object.entries(traits ?? {}).filter(([key]) => !known.has(key))),
  },
});

const orders: Readonly<Record<string, string>> = {
  'Order Completed': 'completed',
  'Order Updated': 'changed',
  'Order Cancelled': 'cancelled',
  'Order Refunded': 'refunded',
};

const track = ({ event, properties }: Call): Partial<DecodedInteraction> => {
  const name = event ?? '';
  const status = Object.hasOwn(orders, name) ? orders[name] : undefined;
  if (status !== undefined) {
    const orderId = text(properties, 'order_id') ?? text(properties, 'orderId');
    const order =
      orderId ?? (typeof properties?.['order_id'] === 'number' ? String(properties['order_id']) : undefined);
    const { total: _total, ...rest } = properties ?? {};
    const total = [properties?.['total'], properties?.['revenue'], properties?.['value']].map(amountOf);
    return {
      kind: 'order',
      properties: {
        ...rest,
        name,
        status,
        ...defined({
          order,
          orderId: order,
          total: total.find((one) => one !== undefined),
          currency: text(properties, 'currency')?.toUpperCase(),
        }),
      },
    };
  }
  const isForm =
    /^(?:form (?:submitted|completed)|signed up|lead captured)$/iu.test(name) &&
    name.toLowerCase().startsWith('form');
  return { kind: isForm ? 'form' : 'behaviour', properties: { ...properties, name } };
};

const acts: Readonly<Record<string, (call: Call) => Partial<DecodedInteraction> | undefined>> = {
  identify,
  track,
  page: ({ name, category, properties }) => ({
    kind: 'behaviour',
    properties: {
      ...properties,
      name: 'page',
      ...defined({ page: name ?? undefined, category: category ?? undefined }),
    },
  }),
  screen: ({ name, category, properties }) => ({
    kind: 'behaviour',
    properties: {
      ...properties,
      name: 'screen',
      ...defined({ screen: name ?? undefined, category: category ?? undefined }),
    },
  }),
  group: ({ groupId }) => ({
    kind: 'behaviour',
    properties: { name: 'group', ...defined({ group: groupId ?? undefined }) },
  }),
  // The two ids are one person: identity resolution merges them.
  alias: () => ({ kind: 'contact-update' }),
};

const identifiersOf = ({
  type,
  userId,
  anonymousId,
  previousId,
  traits,
  properties,
  context,
}: Call): string[] => {
  const person = type === 'group' ? undefined : (traits ?? context?.traits);
  const emails = [text(person, 'email'), type === 'track' ? text(properties, 'email') : undefined];
  const phones = [text(person, 'phone'), type === 'track' ? text(properties, 'phone') : undefined];
  return [
    ...(userId ? [`user-id:${userId}`] : []),
    ...(anonymousId ? [`anonymous:${anonymousId}`] : []),
    ...(type === 'alias' && previousId ? [`anonymous:${previousId}`] : []),
    ...new Set(emails.flatMap((one) => (one === undefined ? [] : [`email:${one.trim().toLowerCase()}`]))),
    ...phoneIdentifiers(...phones),
  ];
};

const Batch = z.looseObject({ batch: z.array(z.unknown()) });

/** The destination may send batches, as a list or under `batch`. */
const callsOf = (json: unknown): Member[] => {
  if (Array.isArray(json)) return membersOf(json);
  const { data } = Batch.safeParse(json);
  return data ? membersOf(data.batch, 'batch') : [{ path: '', value: json }];
};

const decode = (delivery: Delivery): Drafts =>
  decodeMembers(delivery, callsOf(parseJson(delivery.body)), (one) => {
    const call = Call.parse(one);
    const act = Object.hasOwn(acts, call.type) ? acts[call.type]?.(call) : undefined;
    if (act === undefined) return { interactions: [], ignored: [call.type] };
    const interaction: DecodedInteraction = {
      key: call.messageId,
      kind: 'unknown',
      channel: 'web',
      direction: 'inbound',
      identifiers: identifiersOf(call),
      externalId: call.messageId,
      ...defined({ occurredAt: readTime(call.timestamp) ?? readTime(call.receivedAt) }),
      ...act,
    };
    return { interactions: [interaction] };
  });

export const segment = channelMapping({
  id: 'segment',
  channels: ['web'],
  kinds: ['contact-update', 'behaviour', 'form', 'order'],
  vouching: [
    typed('userId', 'user-id', PUBLIC_KEY),
    typed('anonymousId, previousId', 'anonymous', 'a device can be shared, and its id copied'),
    typed('traits.email, properties.email', 'email', PUBLIC_KEY),
    typed('traits.phone, properties.phone', 'phone', PUBLIC_KEY),
  ],
  decode,
});
