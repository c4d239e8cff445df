// https://core.telegram.org/bots/api#update
// Message ids count per chat, so a message is `chat:message`. People who write as a chat (an anonymous admin, a channel) share
// one `from`: `sender_chat` shows that the message belongs to no customer.

import * as z from 'zod';
import { defined, instantOf, parsePayload } from '../../../core/formats/payload.ts';
import type { Delivery } from '../../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { platformUser, typed } from '../../../core/webhooks/vouching.ts';
import { type Act, Id, Message, messageOf, Party, person } from './message.ts';

const Text = z.string().optional();

const Reaction = z.looseObject({
  chat: Party,
  message_id: Id,
  date: z.number(),
  user: Party.optional(),
  new_reaction: z.array(z.looseObject({ emoji: Text })),
});
const Callback = z.looseObject({
  id: z.string(),
  from: Party,
  message: z.looseObject({ message_id: Id, chat: Party }).optional(),
  data: Text,
});
const Member = z.looseObject({
  chat: Party,
  from: Party,
  date: z.number(),
  new_chat_member: z.looseObject({ status: z.string() }),
});
const Deleted = z.looseObject({ chat: Party, message_ids: z.array(Id) });
const Vote = z.looseObject({ poll_id: Id, user: Party.optional(), option_ids: z.array(z.number()) });

const Update = z.looseObject({
  update_id: Id,
  message: Message.optional(),
  business_message: Message.optional(),
  guest_message: Message.optional(),
  channel_post: Message.optional(),
  edited_message: Message.optional(),
  edited_business_message: Message.optional(),
  edited_channel_post: Message.optional(),
  deleted_business_messages: Deleted.optional(),
  message_reaction: Reaction.optional(),
  callback_query: Callback.optional(),
  my_chat_member: Member.optional(),
  poll_answer: Vote.optional(),
  purchased_paid_media: z.looseObject({ from: Party, paid_media_payload: Text }).optional(),
});
type Update = z.infer<typeof Update>;

const reactionOf = ({ chat, message_id, date, user, new_reaction: now }: z.infer<typeof Reaction>): Act => {
  const text = now.flatMap(({ emoji }) => emoji ?? []).join('');
  return {
    kind: 'reaction',
    ...person(user),
    refersTo: `${chat.id}:${message_id}`,
    conversationId: chat.id,
    ...(text !== '' && { text }),
    properties: { action: now.length > 0 ? 'react' : 'unreact' },
    ...defined({ occurredAt: instantOf(date) }),
  };
};

/** A press has no time: the date of its message is when the button was sent. */
const postbackOf = ({ id, from, message, data }: z.infer<typeof Callback>): Act => ({
  kind: 'postback',
  ...person(from),
  externalId: id,
  ...(message && {
    refersTo: `${message.chat.id}:${message.message_id}`,
    conversationId: message.chat.id,
  }),
  properties: defined({ payload: data }),
});

/** In a private chat the person blocks (`kicked`) and unblocks the bot; in groups others add and remove it. */
const consentOf = ({ chat, from, date, new_chat_member: now }: z.infer<typeof Member>): Act | undefined =>
  chat.type === 'private'
    ? {
        kind: now.status === 'kicked' ? 'opt-out' : 'opt-in',
        ...person(from),
        conversationId: chat.id,
        ...defined({ occurredAt: instantOf(date) }),
      }
    : undefined;

const voteOf = ({ poll_id: poll, user, option_ids: options }: z.infer<typeof Vote>): Act => ({
  kind: 'form',
  ...person(user),
  properties: { poll, options },
});

/** Telegram does not name who deleted a message, the person or the business. */
const deletionsOf = ({ chat, message_ids: ids }: z.infer<typeof Deleted>): Act[] =>
  ids.map((id) => ({
    kind: 'delete',
    direction: 'system',
    ...person(chat),
    externalId: `${chat.id}:${id}`,
    refersTo: `${chat.id}:${id}`,
    conversationId: chat.id,
  }));

const actsOf = (update: Update): Act[] => {
  const said = update.message ?? update.business_message ?? update.guest_message ?? update.channel_post;
  const edited = update.edited_message ?? update.edited_business_message ?? update.edited_channel_post;
  const paid = update.purchased_paid_media;
  const { message_reaction, callback_query, my_chat_member, poll_answer, deleted_business_messages } = update;
  return [
    said && messageOf(said, false),
    edited && messageOf(edited, true),
    message_reaction && reactionOf(message_reaction),
    callback_query && postbackOf(callback_query),
    my_chat_member && consentOf(my_chat_member),
    poll_answer && voteOf(poll_answer),
    paid && {
      kind: 'order' as const,
      ...person(paid.from),
      properties: defined({ status: 'paid', payload: paid.paid_media_payload }),
    },
    ...(deleted_business_messages ? deletionsOf(deleted_business_messages) : []),
  ].filter((act) => act !== undefined);
};

const decode = ({ body }: Delivery): Drafts => {
  const update = Update.parse(parsePayload(body));
  const acts = actsOf(update);
  const key = `update:${update.update_id}`;
  return {
    interactions: acts.map((act) => ({
      key: acts.length === 1 ? key : `${key}:${act.externalId}`,
      channel: 'telegram',
      direction: 'inbound',
      ...act,
    })),
    ignored: acts.length > 0 ? [] : Object.keys(update).filter((name) => name !== 'update_id'),
  };
};

export const telegram = channelMapping({
  id: 'telegram',
  channels: ['telegram'],
  kinds: ['message', 'edit', 'delete', 'echo', 'reaction', 'postback', 'form', 'order', 'opt-in', 'opt-out'],
  vouching: [
    platformUser('from.id, chat.id', 'telegram'),
    typed('order_info.email', 'email', 'it is typed for an order'),
    typed('order_info.phone_number', 'phone', 'it is typed for an order', { kinds: ['order'] }),
    {
      field: 'contact.phone_number, if `contact.user_id` is the sender',
      type: 'phone',
      proof: 'proven',
      why: 'Telegram fills in the number of its user; the card of somebody else is no identifier of the sender',
    },
  ],
  decode,
});
