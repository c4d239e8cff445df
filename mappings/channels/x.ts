// https://docs.x.com/x-api/account-activity/introduction
// Only the `_str` ids keep every digit. Texts have `&`, `<` and `>` escaped. The actions of our own account arrive too: messages as echoes; posts are skipped.

import * as z from 'zod';
import { defined, entryOf, instantOf, memberOf, parsePayload, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, membersOf } from '../../core/webhooks/members.ts';
import { withoutEscapes, wordsOf } from '../../core/webhooks/original-text.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const User = z.looseObject({
  id: z.union([z.string(), z.number()]).nullish(),
  id_str: Text,
  name: Text,
  screen_name: Text,
});
const Named = z.looseObject({ id: z.string(), name: Text, screen_name: Text });
const DirectMessage = z.looseObject({
  type: z.string(),
  id: z.string(),
  created_timestamp: Text,
  message_create: z
    .looseObject({
      sender_id: z.string(),
      target: z.looseObject({ recipient_id: Text }).optional(),
      message_data: z
        .looseObject({
          text: Text,
          quick_reply_response: z.looseObject({ metadata: Text }).optional(),
          attachment: z
            .looseObject({
              type: Text,
              media: z.looseObject({ media_url_https: Text, type: Text }).optional(),
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
});
const Post = z.looseObject({
  id_str: z.string(),
  text: Text,
  created_at: Text,
  timestamp_ms: Text,
  truncated: z.boolean().optional(),
  extended_tweet: z.looseObject({ full_text: Text }).optional(),
  user: User,
  in_reply_to_status_id_str: Text,
  retweeted_status: z.looseObject({}).optional(),
});
const ReadMark = z.looseObject({
  created_timestamp: Text,
  sender_id: z.string(),
  last_read_event_id: z.string(),
});
const DeletedPost = z.looseObject({
  status: z.looseObject({ id: z.string(), user_id: z.string() }),
  timestamp_ms: Text,
});
const Favorite = z.looseObject({
  id: z.string(),
  created_at: Text,
  timestamp_ms: z.union([z.string(), z.number()]).nullish(),
  favorited_status: z.looseObject({ id_str: z.string() }),
  user: User,
});
const Follow = z.looseObject({
  type: z.string(),
  created_timestamp: Text,
  source: User,
  target: User.optional(),
});
const Payload = z.looseObject({
  for_user_id: z.string().optional(),
  users: z.unknown().optional(),
});
type Payload = z.infer<typeof Payload>;

/** `Wed Oct 10 20:19:24 +0000 2018`: RFC 2822 in another order. */
const postTime = (text: string | null | undefined): string | undefined => {
  const [, month, day, time, zone, year] =
    /^\w{3} (\w{3}) (\d{2}) ([\d:]{8}) ([+-]\d{4}) (\d{4})$/u.exec(text ?? '') ?? [];
  return readTime(year === undefined ? text : `${day} ${month} ${year} ${time} ${zone}`);
};

const base = { channel: 'x', direction: 'inbound' } as const;
const idOf = ({ id, id_str }: z.infer<typeof User>): string => id_str ?? String(id ?? '');
const called = (name: string | null | undefined): Pick<DecodedInteraction, 'profile'> =>
  name ? { profile: { name: { full: name } } } : {};

type Decode = (value: unknown, payload: Payload) => DecodedInteraction | undefined;

const directMessage: Decode = (value, { for_user_id, users }) => {
  const { id, created_timestamp, message_create } = DirectMessage.parse(value);
  if (message_create === undefined) return undefined;
  const { sender_id, target, message_data } = message_create;
  const ours = sender_id === for_user_id;
  const customer = ours ? target?.recipient_id : sender_id;
  const media = message_data?.attachment?.media;
  const url = media?.media_url_https;
  const words = wordsOf(message_data?.text ?? undefined, withoutEscapes);
  const payload = message_data?.quick_reply_response?.metadata;
  return {
    ...base,
    key: id,
    kind: ours ? 'echo' : 'message',
    ...(ours && { direction: 'outbound' as const }),
    identifiers: customer ? [`x:${customer}`] : [],
    externalId: id,
    ...defined({
      text: words.text,
      occurredAt: instantOf(created_timestamp),
      conversationId: customer ?? undefined,
    }),
    ...(url && { attachments: [{ url, name: media.type ?? 'media' }] }),
    ...((words.properties ?? payload) && {
      properties: { ...words.properties, ...(payload && { payload }) },
    }),
    ...called(customer ? Named.safeParse(memberOf(users, customer)).data?.name : undefined),
  };
};

const readMark: Decode = (value, { for_user_id: ours }) => {
  const { created_timestamp, sender_id, last_read_event_id } = ReadMark.parse(value);
  if (sender_id === ours) return undefined;
  return {
    ...base,
    key: `${last_read_event_id}:read:${sender_id}`,
    kind: 'read',
    identifiers: [`x:${sender_id}`],
    refersTo: last_read_event_id,
    ...defined({ occurredAt: instantOf(created_timestamp) }),
  };
};

const post: Decode = (value, { for_user_id: ours }) => {
  const { user, retweeted_status, ...written } = Post.parse(value);
  if (idOf(user) === ours || retweeted_status !== undefined) return undefined;
  return {
    ...base,
    key: written.id_str,
    kind: 'comment',
    identifiers: [`x:${idOf(user)}`],
    externalId: written.id_str,
    ...wordsOf(written.extended_tweet?.full_text ?? written.text ?? undefined, withoutEscapes),
    ...defined({
      occurredAt: instantOf(written.timestamp_ms) ?? postTime(written.created_at),
      refersTo: written.in_reply_to_status_id_str ?? undefined,
    }),
    ...called(user.name),
  };
};

const deletedPost: Decode = (value, { for_user_id: ours }) => {
  const { status, timestamp_ms } = DeletedPost.parse(value);
  if (status.user_id === ours) return undefined;
  return {
    ...base,
    key: `${status.id}:delete`,
    kind: 'delete',
    identifiers: [`x:${status.user_id}`],
    externalId: status.id,
    refersTo: status.id,
    ...defined({ occurredAt: instantOf(timestamp_ms) }),
  };
};

const favorite: Decode = (value, { for_user_id: ours }) => {
  const { id, created_at, timestamp_ms, favorited_status, user } = Favorite.parse(value);
  if (idOf(user) === ours) return undefined;
  return {
    ...base,
    key: `favorite:${id}`,
    kind: 'reaction',
    text: 'like',
    identifiers: [`x:${idOf(user)}`],
    refersTo: favorited_status.id_str,
    ...defined({ occurredAt: instantOf(timestamp_ms) ?? postTime(created_at) }),
    ...called(user.name),
  };
};

const follow: Decode = (value, { for_user_id: ours }) => {
  const { type, created_timestamp, source } = Follow.parse(value);
  if (idOf(source) === ours) return undefined;
  return {
    ...base,
    key: `${type}:${idOf(source)}:${created_timestamp}`,
    kind: 'behaviour',
    identifiers: [`x:${idOf(source)}`],
    properties: { name: type },
    ...defined({ occurredAt: instantOf(created_timestamp) }),
    ...called(source.name),
  };
};

/** The lists of a delivery, in the order in which they are decoded. */
const lists: Readonly<Record<string, Decode>> = {
  direct_message_events: directMessage,
  direct_message_mark_read_events: readMark,
  tweet_create_events: post,
  tweet_delete_events: deletedPost,
  favorite_events: favorite,
  follow_events: follow,
};

const decode = (delivery: Delivery): Drafts => {
  const payload = Payload.parse(parsePayload(delivery.body));
  const items = Object.entries(lists).flatMap(([name, act]) => {
    const list = payload[name];
    return Array.isArray(list) ? membersOf(list, name).map((member) => ({ ...member, name, act })) : [];
  });
  const decoded = decodeMembers(delivery, items, (value, place) => {
    const interaction = items[place]?.act(value, payload);
    return interaction
      ? { interactions: [interaction] }
      : { interactions: [], ignored: [items[place]?.name ?? ''] };
  });
  const others = Object.keys(payload).filter(
    (name) => /_events?$/u.test(name) && entryOf(lists, name) === undefined,
  );
  return { ...decoded, ignored: [...decoded.ignored, ...others] };
};

export const x = channelMapping({
  id: 'x',
  channels: ['x'],
  kinds: ['message', 'echo', 'read', 'comment', 'delete', 'reaction', 'behaviour'],
  vouching: [platformUser('id_str, sender_id', 'x')],
  decode,
});
