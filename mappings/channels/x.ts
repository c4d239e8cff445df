// https://docs.x.com/x-api/account-activity/introduction
// Only the `_str` ids keep every digit. The actions of our own account arrive too: messages as echoes; posts are skipped.

import * as z from 'zod';
import { defined, instantOf, parsePayload, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
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
const Payload = z.looseObject({
  for_user_id: z.string().optional(),
  users: z.record(z.string(), Named).optional(),
  direct_message_events: z.array(DirectMessage).optional(),
  direct_message_mark_read_events: z
    .array(z.looseObject({ created_timestamp: Text, sender_id: z.string(), last_read_event_id: z.string() }))
    .optional(),
  tweet_create_events: z.array(Post).optional(),
  tweet_delete_events: z
    .array(
      z.looseObject({ status: z.looseObject({ id: z.string(), user_id: z.string() }), timestamp_ms: Text }),
    )
    .optional(),
  favorite_events: z
    .array(
      z.looseObject({
        id: z.string(),
        created_at: Text,
        timestamp_ms: z.union([z.string(), z.number()]).nullish(),
        favorited_status: z.looseObject({ id_str: z.string() }),
        user: User,
      }),
    )
    .optional(),
  follow_events: z
    .array(
      z.looseObject({ type: z.string(), created_timestamp: Text, source: User, target: User.optional() }),
    )
    .optional(),
});
type Payload = z.infer<typeof Payload>;

/** `Wed Oct 10 20:19:24 +0000 2018`: RFC 2822 in another order. */
const postTime = (text: string | null | undefined): string | undefined => {
  const [, month, day, time, zone, year] =
    /^\w{3} (\w{3}) (\d{2}) ([\d:]{8}) ([+-]\d{4}) (\d{4})$/u.exec(text ?? '') ?? [];
  return readTime(year === undefined ? text : `${day} ${month} ${year} ${time} ${zone}`);
};

const mapped: readonly string[] = Object.keys(Payload.shape);
const base = { channel: 'x', direction: 'inbound' } as const;
const idOf = ({ id, id_str }: z.infer<typeof User>): string => id_str ?? String(id ?? '');
const called = (name: string | null | undefined): Pick<DecodedInteraction, 'profile'> =>
  name ? { profile: { name: { full: name } } } : {};

const directMessage = (
  { for_user_id, users = {} }: Payload,
  { id, created_timestamp, message_create }: z.infer<typeof DirectMessage>,
): DecodedInteraction[] => {
  if (message_create === undefined) return [];
  const { sender_id, target, message_data } = message_create;
  const ours = sender_id === for_user_id;
  const customer = ours ? target?.recipient_id : sender_id;
  const media = message_data?.attachment?.media;
  const url = media?.media_url_https;
  return [
    {
      ...base,
      key: id,
      kind: ours ? 'echo' : 'message',
      ...(ours && { direction: 'outbound' as const }),
      identifiers: customer ? [`x:${customer}`] : [],
      externalId: id,
      ...defined({
        text: message_data?.text ?? undefined,
        occurredAt: instantOf(created_timestamp),
        conversationId: customer ?? undefined,
      }),
      ...(url && { attachments: [{ url, name: media.type ?? 'media' }] }),
      ...(message_data?.quick_reply_response?.metadata && {
        properties: { payload: message_data.quick_reply_response.metadata },
      }),
      ...called(customer ? users[customer]?.name : undefined),
    },
  ];
};

const decode = ({ body }: Delivery): Drafts => {
  const payload = Payload.parse(parsePayload(body));
  const ours = payload.for_user_id;
  const posts = (payload.tweet_create_events ?? []).filter(
    ({ user, retweeted_status }) => idOf(user) !== ours && retweeted_status === undefined,
  );
  const interactions: DecodedInteraction[] = [
    ...(payload.direct_message_events ?? []).flatMap((event) => directMessage(payload, event)),
    ...(payload.direct_message_mark_read_events ?? [])
      .filter(({ sender_id }) => sender_id !== ours)
      .map(({ created_timestamp, sender_id, last_read_event_id }) => ({
        ...base,
        key: `${last_read_event_id}:read:${sender_id}`,
        kind: 'read' as const,
        identifiers: [`x:${sender_id}`],
        refersTo: last_read_event_id,
        ...defined({ occurredAt: instantOf(created_timestamp) }),
      })),
    ...posts.map((post) => ({
      ...base,
      key: post.id_str,
      kind: 'comment' as const,
      identifiers: [`x:${idOf(post.user)}`],
      externalId: post.id_str,
      ...defined({
        text: post.extended_tweet?.full_text ?? post.text ?? undefined,
        occurredAt: instantOf(post.timestamp_ms) ?? postTime(post.created_at),
        refersTo: post.in_reply_to_status_id_str ?? undefined,
      }),
      ...called(post.user.name),
    })),
    ...(payload.tweet_delete_events ?? [])
      .filter(({ status }) => status.user_id !== ours)
      .map(({ status, timestamp_ms }) => ({
        ...base,
        key: `${status.id}:delete`,
        kind: 'delete' as const,
        identifiers: [`x:${status.user_id}`],
        externalId: status.id,
        refersTo: status.id,
        ...defined({ occurredAt: instantOf(timestamp_ms) }),
      })),
    ...(payload.favorite_events ?? [])
      .filter(({ user }) => idOf(user) !== ours)
      .map(({ id, created_at, timestamp_ms, favorited_status, user }) => ({
        ...base,
        key: `favorite:${id}`,
        kind: 'reaction' as const,
        text: 'like',
        identifiers: [`x:${idOf(user)}`],
        refersTo: favorited_status.id_str,
        ...defined({ occurredAt: instantOf(timestamp_ms) ?? postTime(created_at) }),
        ...called(user.name),
      })),
    ...(payload.follow_events ?? [])
      .filter(({ source }) => idOf(source) !== ours)
      .map(({ type, created_timestamp, source }) => ({
        ...base,
        key: `${type}:${idOf(source)}:${created_timestamp}`,
        kind: 'behaviour' as const,
        identifiers: [`x:${idOf(source)}`],
        properties: { name: type },
        ...defined({ occurredAt: instantOf(created_timestamp) }),
        ...called(source.name),
      })),
  ];
  const ignored = Object.keys(payload).filter((key) => key.endsWith('_events') && !mapped.includes(key));
  if (interactions.length > 0 || ignored.length > 0) return { interactions, ignored };
  return { interactions, ignored: Object.keys(payload).filter((key) => /_events?$/u.test(key)) };
};

export const x = channelMapping({
  id: 'x',
  channels: ['x'],
  kinds: ['message', 'echo', 'read', 'comment', 'delete', 'reaction', 'behaviour'],
  vouching: [platformUser('id_str, sender_id', 'x')],
  decode,
});
