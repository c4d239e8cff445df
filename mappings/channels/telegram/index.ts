// https://core.telegram.org/bots/api#update
// Message ids count per chat, so a message is `chat:message`. People who write as a chat (an anonymous admin, a channel) share
// one `from`: `sender_chat` shows that the message belongs to no customer.

import * as z from 'zod';
import { defined, instantOf, parsePayload } from '../../../core/formats/payload.ts';
import { e164 } from '../../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Delivery } from '../../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { platformUser } from '../../../core/webhooks/vouching.ts';
import { attachmentsOf, Media } from './files.ts';

const Text = z.string().optional();
const Id = z.union([z.string().min(1), z.number()]).transform(String);

/** A user or a chat: a private chat is described as the person in it. */
const Party = z.looseObject({
  id: Id,
  type: Text,
  is_bot: z.boolean().optional(),
  first_name: Text,
  last_name: Text,
  username: Text,
  language_code: Text,
});
type Party = z.infer<typeof Party>;

const Payment = z.looseObject({ currency: z.string(), total_amount: z.number(), invoice_payload: Text });

const Message = z.looseObject({
  message_id: Id,
  date: z.number(),
  edit_date: z.number().optional(),
  chat: Party,
  from: Party.optional(),
  sender_chat: Party.optional(),
  reply_to_message: z.looseObject({ message_id: Id }).optional(),
  text: Text,
  caption: Text,
  ...Media.shape,
  location: z.looseObject({ latitude: z.number(), longitude: z.number() }).optional(),
  venue: z.looseObject({ title: Text, address: Text }).optional(),
  contact: z.looseObject({ phone_number: z.string(), user_id: Id.optional() }).optional(),
  web_app_data: z.looseObject({ data: z.string(), button_text: Text }).optional(),
  successful_payment: Payment.optional(),
  refunded_payment: Payment.optional(),
});
type Message = z.infer<typeof Message>;

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

type Content = Partial<DecodedInteraction> & Pick<DecodedInteraction, 'kind'>;
type Act = Content & Pick<DecodedInteraction, 'identifiers'>;

/** A person's identifiers and profile; none for a bot. A user name is displayed and never used to match. */
const person = (party: Party | undefined): Pick<DecodedInteraction, 'identifiers' | 'profile'> => {
  if (party === undefined || party.is_bot === true) return { identifiers: [] };
  const { id, first_name: first, last_name: last, username, language_code: language } = party;
  const full = [first, last].filter(Boolean).join(' ');
  return {
    identifiers: [`telegram:${id}`],
    profile: {
      ...(full !== '' && { name: { full, ...defined({ first, last }) } }),
      ...defined({ language }),
      ...(username !== undefined && { traits: { telegramUsername: username } }),
    },
  };
};

/** The customer of a message. In a private chat of a business account it is the other person, also if the business wrote. */
const writerOf = ({ chat, from, sender_chat: asChat }: Message): { contact?: Party; ours: boolean } => {
  if (chat.type === 'private') {
    const ours = from !== undefined && from.id !== chat.id;
    return { contact: ours ? chat : (from ?? chat), ours };
  }
  return { ...(from !== undefined && asChat === undefined && { contact: from }), ours: false };
};

/** `amount` is in the smallest unit of the currency. */
const paymentOf = (status: 'paid' | 'refunded', payment: z.infer<typeof Payment>): Content => ({
  kind: 'order',
  properties: defined({
    status,
    currency: payment.currency,
    amount: payment.total_amount,
    payload: payment.invoice_payload,
  }),
});

/** Contents of a message that are neither text nor a file. */
const others = ['location', 'contact', 'poll', 'dice', 'game', 'story', 'paid_media', 'checklist'] as const;

/** The content of a message; undefined for the notices of a chat, such as a new member or a pinned message. */
const contentOf = (message: Message): Content | undefined => {
  const { web_app_data: app, successful_payment: paid, refunded_payment: refunded } = message;
  if (paid) return paymentOf('paid', paid);
  if (refunded) return paymentOf('refunded', refunded);
  if (app) return { kind: 'form', properties: defined({ data: app.data, button: app.button_text }) };
  if (message['write_access_allowed'] !== undefined) return { kind: 'opt-in' };
  const text = message.text ?? message.caption;
  const attachments = attachmentsOf(message);
  const { location, venue } = message;
  const said = text !== undefined || attachments.length > 0;
  if (!said && !others.some((name) => message[name] !== undefined)) return undefined;
  const start = /^\/start(?:@\w+)? (\S+)$/u.exec(text ?? '')?.[1];
  const place = location && {
    ...defined({ title: venue?.title, address: venue?.address }),
    latitude: location.latitude,
    longitude: location.longitude,
  };
  return {
    kind: 'message',
    ...defined({ text }),
    ...(attachments.length > 0 && { attachments }),
    ...((place !== undefined || start !== undefined) && {
      properties: defined({ location: place, start }),
    }),
  };
};

const messageOf = (message: Message, edited: boolean): Act | undefined => {
  const content = contentOf(message);
  if (content === undefined) return undefined;
  const { chat, contact: card, reply_to_message: reply } = message;
  const { contact, ours } = writerOf(message);
  const { identifiers, profile } = person(contact);
  const id = `${chat.id}:${message.message_id}`;
  // Telegram itself fills user_id, so a card that names its sender has the sender's own number; other cards are third parties'.
  const own = card?.user_id !== undefined && card.user_id === contact?.id && identifiers.length > 0;
  const phone = own ? e164(`+${card.phone_number.replace(/^\+/u, '')}`) : undefined;
  const refersTo = edited ? id : reply && `${chat.id}:${reply.message_id}`;
  return {
    ...content,
    ...(ours && { kind: 'echo' as const, direction: 'outbound' as const }),
    ...(edited && { kind: 'edit' as const }),
    identifiers: phone === undefined ? identifiers : [...identifiers, `phone:${phone}`],
    externalId: id,
    conversationId: chat.id,
    ...defined({ profile, refersTo, occurredAt: instantOf(message.edit_date ?? message.date) }),
  };
};

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
  const said = update.message ?? update.business_message ?? update.channel_post;
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
    {
      field: 'contact.phone_number, if `contact.user_id` is the sender',
      type: 'phone',
      proof: 'proven',
      why: 'Telegram fills in the number of its user; the card of somebody else is no identifier of the sender',
    },
  ],
  decode,
});
