// https://developers.viber.com/docs/api/rest-bot-api/#callbacks
// message_token has 64 bits. A shared contact is another person: its number stays an attachment.

import * as z from 'zod';
import { defined, entryOf, instantOf, parsePayload } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const Text = z.string().optional();
const User = z.looseObject({ id: z.string(), name: Text, language: Text });
const Message = z.looseObject({
  type: z.string(),
  text: Text,
  media: Text,
  file_name: Text,
  size: z.int().nonnegative().optional(),
  sticker_id: z.union([z.string(), z.number()]).optional(),
  location: z.object({ lat: z.number().optional(), lon: z.number().optional() }).optional(),
  contact: z.looseObject({ name: Text }).optional(),
  tracking_data: Text,
});
const Named = z.looseObject({ event: z.string() });
const Payload = z.looseObject({
  event: z.string(),
  timestamp: z.union([z.number(), z.string()]).optional(),
  message_token: VendorId.optional(),
  user_id: Text,
  user: User.optional(),
  sender: User.optional(),
  message: Message.optional(),
  context: Text,
  desc: Text,
  subscribed: z.boolean().optional(),
});
type Payload = z.infer<typeof Payload>;

const files: readonly string[] = ['picture', 'video', 'file'];

const attachmentsOf = ({
  type,
  media,
  file_name,
  size,
  contact,
}: z.infer<typeof Message>): NonNullable<DecodedInteraction['attachments']> => {
  if (type === 'contact') return [defined({ name: contact?.name ?? 'contact' })];
  if (type === 'sticker') return [{ name: 'sticker' }];
  if (!files.includes(type)) return [];
  // The address of a file expires within the hour.
  return [
    {
      ...defined({ name: file_name ?? type, size, url: media }),
      ...(media !== undefined && { keep: true as const }),
    },
  ];
};

const status = (payload: Payload, state: string): Partial<DecodedInteraction> => ({
  kind: state === 'seen' ? 'read' : 'delivery-status',
  direction: state === 'seen' ? 'inbound' : 'outbound',
  key: `${payload.message_token}:${state}`,
  ...defined({ externalId: payload.message_token, refersTo: payload.message_token }),
  properties: defined({ status: state, reason: payload.desc }),
});

const acts: Readonly<Record<string, (payload: Payload) => Partial<DecodedInteraction> | undefined>> = {
  message({ message, message_token, sender }) {
    if (message === undefined || message_token === undefined) return undefined;
    const attachments = attachmentsOf(message);
    // The address of a link is the message; the address of a file expires.
    const link = message.type === 'url' ? message.media : undefined;
    const words = [message.text, link].filter((one) => one !== undefined && one !== '');
    return {
      kind: 'message',
      externalId: message_token,
      ...(words.length > 0 && { text: [...new Set(words)].join('\n') }),
      ...(attachments.length > 0 && { attachments }),
      ...(message.location && { properties: { location: defined(message.location) } }),
      ...(sender?.name && { profile: { name: { full: sender.name } } }),
    };
  },
  delivered: (payload) => status(payload, 'delivered'),
  seen: (payload) => status(payload, 'seen'),
  failed: (payload) => status(payload, 'failed'),
  subscribed: ({ user }) => ({ kind: 'opt-in', ...profileOf(user) }),
  unsubscribed: () => ({ kind: 'opt-out' }),
  conversation_started: ({ user, context, subscribed }) => ({
    kind: 'referral',
    properties: defined({ ref: context, subscribed }),
    ...profileOf(user),
  }),
};

const profileOf = (user: z.infer<typeof User> | undefined): Pick<DecodedInteraction, 'profile'> =>
  user === undefined
    ? {}
    : {
        profile: {
          ...(user.name && { name: { full: user.name } }),
          ...(user.language && { language: user.language }),
        },
      };

const decode = ({ body }: Delivery): Drafts => {
  const json = parsePayload(body);
  const { event } = Named.parse(json);
  const read = entryOf(acts, event);
  // Events of other types have other members.
  if (read === undefined) return { interactions: [], ignored: [event] };
  const payload = Payload.parse(json);
  const { message_token, timestamp } = payload;
  const act = read(payload);
  if (act === undefined || message_token === undefined) return { interactions: [], ignored: [event] };
  const user = payload.sender?.id ?? payload.user?.id ?? payload.user_id;
  return {
    ignored: [],
    interactions: [
      {
        key: message_token,
        kind: 'unknown',
        channel: 'viber',
        direction: 'inbound',
        identifiers: user === undefined ? [] : [`viber:${user}`],
        ...defined({ occurredAt: instantOf(timestamp) }),
        ...act,
      },
    ],
  };
};

export const viber = channelMapping({
  id: 'viber',
  channels: ['viber'],
  kinds: ['message', 'delivery-status', 'read', 'opt-in', 'opt-out', 'referral'],
  vouching: [platformUser('sender.id, user.id', 'viber')],
  decode,
});
