// https://docs.discord.com/developers/interactions/receiving-and-responding
// A snowflake contains its time of creation: the upper 42 bits are milliseconds since 2015. In a server the person is in
// `member.user`, in a direct message in `user`.

import * as z from 'zod';
import { defined, entryOf, instantOf, parsePayload, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const Text = z.string().optional();
const User = z.looseObject({
  id: z.string(),
  username: Text,
  global_name: Text.nullable(),
  bot: z.boolean().optional(),
});
type User = z.infer<typeof User>;
interface Component {
  readonly custom_id?: string | undefined;
  readonly value?: unknown;
  readonly values?: unknown;
  readonly components?: readonly Component[] | undefined;
  readonly component?: Component | undefined;
}
const Component: z.ZodType<Component> = z.looseObject({
  custom_id: Text,
  value: z.unknown().optional(),
  values: z.unknown().optional(),
  get components() {
    return z.array(Component).optional();
  },
  get component() {
    return Component.optional();
  },
});
const File = z.looseObject({
  id: Text,
  url: z.string(),
  filename: Text,
  content_type: Text,
  size: z.int().nonnegative().optional(),
});
/** An option of a command, or a sub-command, which has options instead of a value. */
interface Option {
  readonly name: string;
  readonly value?: unknown;
  readonly options?: readonly Option[] | undefined;
}
const Option: z.ZodType<Option> = z.looseObject({
  name: z.string(),
  value: z.unknown().optional(),
  get options() {
    return z.array(Option).optional();
  },
});
const Interaction = z.looseObject({
  type: z.number(),
  id: z.string(),
  channel_id: Text,
  user: User.optional(),
  member: z.looseObject({ user: User.optional() }).optional(),
  message: z.looseObject({ id: z.string() }).optional(),
  data: z
    .looseObject({
      name: Text,
      custom_id: Text,
      values: z.array(z.string()).optional(),
      options: z.array(Option).optional(),
      components: z.array(Component).optional(),
      resolved: z.looseObject({ attachments: z.record(z.string(), File).optional() }).optional(),
    })
    .optional(),
});
type Interaction = z.infer<typeof Interaction>;
const WebhookEvent = z.looseObject({
  event: z.looseObject({
    type: z.string(),
    timestamp: Text,
    data: z.unknown().optional(),
  }),
});
const EventData = z.looseObject({
  user: User.optional(),
  integration_type: z.number().optional(),
  id: Text,
  user_id: Text,
  sku_id: Text,
});

const EPOCH = 1_420_070_400_000n;
const madeAt = (snowflake: string): string | undefined =>
  /^\d{17,20}$/u.test(snowflake) ? instantOf(Number((BigInt(snowflake) >> 22n) + EPOCH)) : undefined;

const nameOf = ({ global_name, username }: User): Pick<DecodedInteraction, 'profile'> => {
  const full = global_name ?? username;
  return full ? { profile: { name: { full } } } : {};
};

const fieldsOf = (components: readonly Component[]): [string, string][] =>
  components.flatMap(({ custom_id, value, values, components: inner = [], component }) => [
    ...(custom_id !== undefined && typeof value === 'string' ? [[custom_id, value] as [string, string]] : []),
    ...(custom_id !== undefined && Array.isArray(values)
      ? [[custom_id, values.map(String).join(', ')] as [string, string]]
      : []),
    ...fieldsOf(component ? [...inner, component] : inner),
  ]);

/** A command in the order in which it was typed; a sub-command is a word without a name. */
const chosenOf = (options: readonly Option[] = []): { readonly name?: string; readonly word: string }[] =>
  options.flatMap(({ name, value, options: inner }) => {
    if (value === undefined) return [{ word: name }, ...chosenOf(inner)];
    return ['string', 'number', 'boolean'].includes(typeof value) ? [{ name, word: String(value) }] : [];
  });

const actOf = ({ type, data, message }: Interaction): Partial<DecodedInteraction> | undefined => {
  if (type === 2) {
    const chosen = chosenOf(data?.options);
    return {
      kind: 'postback',
      text: [`/${data?.name ?? ''}`, ...chosen.map(({ word }) => word)].join(' '),
      properties: {
        payload: data?.name ?? '',
        options: Object.fromEntries(
          chosen.flatMap(({ name, word }) => (name === undefined ? [] : [[name, word]])),
        ),
      },
    };
  }
  if (type === 3)
    return {
      kind: 'postback',
      ...defined({ refersTo: message?.id }),
      properties: defined({ payload: data?.custom_id, values: data?.values }),
    };
  if (type === 5)
    return {
      kind: 'form',
      properties: {
        ...defined({ form: data?.custom_id }),
        fields: Object.fromEntries(fieldsOf(data?.components ?? [])),
      },
    };
  return undefined;
};

/** Files uploaded to a command or a form; their addresses expire after a day. */
const filesOf = ({ data }: Interaction): NonNullable<DecodedInteraction['attachments']> =>
  Object.values(data?.resolved?.attachments ?? {}).map(({ id, url, filename, content_type, size }) => ({
    ...defined({ url, name: filename, contentType: content_type, size, externalId: id }),
    keep: true as const,
  }));

const decode = ({ body }: Delivery): Drafts => {
  const json = parsePayload(body);
  const webhook = WebhookEvent.safeParse(json);
  if (webhook.success) return onWebhookEvent(webhook.data);
  const interaction = Interaction.parse(json);
  const act = actOf(interaction);
  const user = interaction.member?.user ?? interaction.user;
  if (act === undefined || user === undefined || user.bot === true)
    return { interactions: [], ignored: [`interaction.${interaction.type}`] };
  const { id, channel_id } = interaction;
  const attachments = filesOf(interaction);
  return {
    ignored: [],
    interactions: [
      {
        key: id,
        kind: 'unknown',
        channel: 'discord',
        direction: 'inbound',
        identifiers: [`discord:${user.id}`],
        externalId: id,
        ...defined({ occurredAt: madeAt(id), conversationId: channel_id }),
        ...nameOf(user),
        ...act,
        ...(attachments.length > 0 && { attachments }),
      },
    ],
  };
};

/** Discord deletes an entitlement when it refunds or withdraws the purchase. */
const orderStatus: Readonly<Record<string, string>> = {
  ENTITLEMENT_CREATE: 'paid',
  ENTITLEMENT_UPDATE: 'changed',
  ENTITLEMENT_DELETE: 'cancelled',
};

/** The app was added to an account or a server, or removed again; or a person bought something in it. */
const onWebhookEvent = ({ event }: z.infer<typeof WebhookEvent>): Drafts => {
  const { type, timestamp } = event;
  // Events of other types have other members.
  if (!/^(?:APPLICATION|ENTITLEMENT)_/u.test(type)) return { interactions: [], ignored: [type] };
  const data = event.data === undefined ? undefined : EventData.parse(event.data);
  const kind =
    type === 'APPLICATION_AUTHORIZED'
      ? 'opt-in'
      : type === 'APPLICATION_DEAUTHORIZED'
        ? 'opt-out'
        : undefined;
  if (type.startsWith('ENTITLEMENT_') && data?.user_id !== undefined)
    return {
      ignored: [],
      interactions: [
        {
          key: `${type}:${data.id}:${timestamp}`,
          kind: 'order',
          channel: 'discord',
          direction: 'inbound',
          identifiers: [`discord:${data.user_id}`],
          ...defined({ externalId: data.id, occurredAt: readTime(timestamp) }),
          properties: defined({
            status: entryOf(orderStatus, type) ?? 'changed',
            order: data.id,
            item: data.sku_id,
          }),
        },
      ],
    };
  const user = data?.user;
  // Adding the app to a server is no consent of the person who added it.
  if (kind === undefined || user === undefined || data?.integration_type === 0)
    return { interactions: [], ignored: [type] };
  return {
    ignored: [],
    interactions: [
      {
        key: `${type}:${user.id}:${timestamp}`,
        kind,
        channel: 'discord',
        direction: 'inbound',
        identifiers: [`discord:${user.id}`],
        ...defined({ occurredAt: readTime(timestamp) }),
        ...nameOf(user),
      },
    ],
  };
};

export const discord = channelMapping({
  id: 'discord',
  channels: ['discord'],
  kinds: ['postback', 'form', 'order', 'opt-in', 'opt-out'],
  vouching: [platformUser('user.id', 'discord')],
  decode,
});
