// https://core.telegram.org/bots/api#message
// Telegram itself fills the user of a contact card, so that a card that names its sender has the sender's own number.

import * as z from 'zod';
import { JsonObject } from '../../../core/formats/json.ts';
import { emailAddress } from '../../../core/formats/mail/mailbox.ts';
import { majorUnits } from '../../../core/formats/money.ts';
import { defined, instantOf } from '../../../core/formats/payload.ts';
import { e164, phoneIdentifiers } from '../../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import { attachmentsOf, Media } from './files.ts';
import { notices } from './notices.ts';
import { mediaOfRichMessage, textOfRichMessage } from './rich-message.ts';

const Text = z.string().optional();
export const Id = z.union([z.string().min(1), z.number()]).transform(String);

/** A user or a chat: a private chat is described as the person in it. */
export const Party = z.looseObject({
  id: Id,
  type: Text,
  is_bot: z.boolean().optional(),
  first_name: Text,
  last_name: Text,
  username: Text,
  language_code: Text,
});
export type Party = z.infer<typeof Party>;

/** What a person typed for an order: name, addresses and phone. */
const OrderInfo = z.looseObject({
  name: Text,
  phone_number: Text,
  email: Text,
  shipping_address: JsonObject.optional(),
});
const Payment = z.looseObject({
  currency: z.string(),
  total_amount: z.number(),
  invoice_payload: Text,
  telegram_payment_charge_id: Text,
  order_info: OrderInfo.optional(),
});
const Poll = z.looseObject({ question: Text, options: z.array(z.looseObject({ text: Text })).optional() });
const Tasks = z.array(z.looseObject({ text: Text }));

export const Message = z.looseObject({
  message_id: Id,
  date: z.number(),
  edit_date: z.number().optional(),
  chat: Party,
  from: Party.optional(),
  sender_chat: Party.optional(),
  sender_business_bot: Party.optional(),
  reply_to_message: z.looseObject({ message_id: Id }).optional(),
  text: Text,
  caption: Text,
  rich_message: z.unknown().optional(),
  poll: Poll.optional(),
  checklist: z.looseObject({ title: Text, tasks: Tasks.optional() }).optional(),
  checklist_tasks_added: z.looseObject({ tasks: Tasks }).optional(),
  game: z.looseObject({ title: Text, text: Text }).optional(),
  gift: z.looseObject({ text: Text }).optional(),
  ...Media.shape,
  location: z.looseObject({ latitude: z.number(), longitude: z.number() }).optional(),
  venue: z.looseObject({ title: Text, address: Text }).optional(),
  contact: z.looseObject({ phone_number: z.string(), user_id: Id.optional() }).optional(),
  web_app_data: z.looseObject({ data: z.string(), button_text: Text }).optional(),
  successful_payment: Payment.optional(),
  refunded_payment: Payment.optional(),
});
type Message = z.infer<typeof Message>;

type Content = Partial<DecodedInteraction> & Pick<DecodedInteraction, 'kind'>;
export type Act = Content & Pick<DecodedInteraction, 'identifiers'>;

/** A person's identifiers and profile; none for a bot. A user name is displayed and never used to match. */
export const person = (party: Party | undefined): Pick<DecodedInteraction, 'identifiers' | 'profile'> => {
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

/** A bot in a group. People who write as a chat (anonymous admins) have a bot as `from` too. */
const isBot = ({ from, sender_chat: asChat }: Message): boolean =>
  from?.is_bot === true && asChat === undefined;

/** A bot, also one that answers for a business account. */
const isMachine = (message: Message): boolean => message.sender_business_bot !== undefined || isBot(message);

/** Telegram Stars (XTR) have no smaller unit. */
const paymentOf = (status: 'paid' | 'refunded', payment: z.infer<typeof Payment>): Content => ({
  kind: 'order',
  properties: defined({
    status,
    order: payment.telegram_payment_charge_id,
    currency: payment.currency,
    total:
      payment.currency === 'XTR' ? payment.total_amount : majorUnits(payment.total_amount, payment.currency),
    payload: payment.invoice_payload,
    recipient: payment.order_info?.name,
    shippingAddress: payment.order_info?.shipping_address,
  }),
});

/** The words of a message that are not in `text` or `caption`. */
const otherWords = ({
  poll,
  checklist,
  checklist_tasks_added: added,
  game,
  gift,
  ...message
}: Message): string | undefined =>
  (message.rich_message === undefined ? undefined : textOfRichMessage(message.rich_message)) ??
  poll?.question ??
  checklist?.title ??
  added?.tasks.flatMap(({ text }) => text ?? []).join('\n') ??
  game?.text ??
  game?.title ??
  gift?.text;

const placeOf = ({ location, venue }: Message) =>
  location && {
    ...defined({ title: venue?.title, address: venue?.address }),
    latitude: location.latitude,
    longitude: location.longitude,
  };

/** The content of a message; undefined for the notices of a chat, such as a new member or a pinned message. */
const contentOf = (message: Message): Content | undefined => {
  const {
    web_app_data: app,
    successful_payment: paid,
    refunded_payment: refunded,
    poll,
    checklist,
  } = message;
  if (paid) return paymentOf('paid', paid);
  if (refunded) return paymentOf('refunded', refunded);
  if (app) return { kind: 'form', properties: defined({ data: app.data, button: app.button_text }) };
  if (message['write_access_allowed'] !== undefined) return { kind: 'opt-in' };
  const text = message.text ?? message.caption ?? otherWords(message);
  // A message of a type that did not exist when this was written is a message without text.
  if (text === undefined && notices.some((name) => message[name] !== undefined)) return undefined;
  const media = [message, ...mediaOfRichMessage(message.rich_message)];
  const attachments = media.flatMap((one) => attachmentsOf(Media.safeParse(one).data ?? {}));
  const properties = defined({
    location: placeOf(message),
    start: /^\/start(?:@\w+)? (\S+)$/u.exec(text ?? '')?.[1],
    options: poll?.options?.flatMap((option) => option.text ?? []),
    tasks: checklist?.tasks?.flatMap((task) => task.text ?? []),
  });
  return {
    kind: 'message',
    ...defined({ text }),
    ...(attachments.length > 0 && { attachments }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
};

/** What a person typed for an order, as identifiers that nobody vouches for. */
const orderedBy = ({ successful_payment: payment }: Message): string[] => {
  const { email, phone_number: phone } = payment?.order_info ?? {};
  const address = emailAddress(email ?? '');
  return [
    ...(address === undefined ? [] : [`email:${address}`]),
    ...(phone === undefined ? [] : phoneIdentifiers(`+${phone.replace(/^\+/u, '')}`)),
  ];
};

export const messageOf = (message: Message, edited: boolean): Act | undefined => {
  const content = contentOf(message);
  if (content === undefined) return undefined;
  const { chat, contact: card, reply_to_message: reply } = message;
  // What another bot announces in a group is about no customer; its answer belongs to whom it answers.
  if (isBot(message) && chat.type !== 'private' && reply === undefined) return undefined;
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
    ...(isMachine(message) && { properties: { ...content.properties, automated: true } }),
    identifiers: [
      ...identifiers,
      ...(phone === undefined ? [] : [`phone:${phone}`]),
      ...(identifiers.length > 0 ? orderedBy(message) : []),
    ],
    externalId: id,
    conversationId: chat.id,
    ...defined({ profile, refersTo, occurredAt: instantOf(message.edit_date ?? message.date) }),
  };
};
