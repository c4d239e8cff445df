import type { ClosedAddress } from '../../../../core/identity/profile.ts';
import type { Channel } from '../../../../core/interaction/interaction.ts';

const channels: Readonly<Record<Channel, string>> = {
  email: 'E-mail',
  sms: 'Text messages (SMS)',
  rcs: 'Text messages (RCS)',
  whatsapp: 'WhatsApp',
  voice: 'Telephone',
  messenger: 'Messenger',
  instagram: 'Instagram',
  telegram: 'Telegram',
  line: 'LINE',
  viber: 'Viber',
  slack: 'Slack',
  discord: 'Discord',
  teams: 'Microsoft Teams',
  x: 'X',
  tiktok: 'TikTok',
  apple: 'Apple Messages',
  chat: 'Chat on our website',
  form: 'Forms',
  web: 'Our website',
  'in-person': 'In person',
  push: 'Notifications of our app',
  crm: 'Our records',
};

/** How a closed address can be opened. */
const reopening: Readonly<Record<ClosedAddress['reason'], string>> = {
  'opt-out':
    'You sent STOP from here, so nothing is sent here. To get messages again, send START to the number that wrote to you.',
  bounce:
    'What we sent here came back, so nothing is sent here any more. If it works again, write to us from it, and ask us to open it.',
  complaint:
    'A message here was marked as spam, so nothing is sent here any more. If that was a mistake, write to us, and ask us to open it.',
};

/** Every text of the pages for customers. The type of this object is what each language has. */
export const english = {
  channels,
  reopening,
  /** Between a channel and an address. */
  to: 'to',
  numberEnding: (digits: string): string => `number ending in ${digits}`,
  broken: {
    title: 'This link is not complete',
    text: 'Nothing was changed. Open it from the message again. If you copied it, copy all of it.',
  },
  gone: {
    title: 'We keep nothing about this address',
    text: 'The address to which this link was sent is not in our records any more, so there is nothing to choose, and nothing is sent.',
  },
  unreadableForm: {
    title: 'The form could not be read',
    text: 'Nothing was changed. Open the link again and save your choices once more.',
  },
  confirm: {
    title: 'Do you want our offers and news?',
    asked:
      'somebody asked for our offers and news here. With the button you confirm that this address is yours and that you want them.',
    button: 'Yes, send them to me',
    notYou: 'Was it not you? Close this page. Without the button, no offers and no news are sent.',
    doneTitle: 'Thank you',
    done: 'It is confirmed: we may send you our offers and news.',
    howToEnd: 'Every message has a link with which you end them.',
    expiredTitle: 'This link has expired',
    expired:
      'Nothing was changed, and no offers or news are sent because of it. If you still want them, sign up again: you get a new link.',
    closedTitle: 'Nothing is sent to this address',
  },
  unsubscribe: {
    title: 'Unsubscribe',
    asked: 'no more offers and news. What concerns your orders and requests still comes.',
    button: 'Unsubscribe',
    doneTitle: 'You are unsubscribed',
    done: (channel: string): string =>
      `Done. ${channel}: you get no more offers and news. A message that is on its way already may still arrive.`,
    later: 'To choose something else later, open the link to your choices in one of our messages.',
  },
  preferences: {
    title: 'What we may send you',
    everything: { name: 'Everything', about: 'Offers and news too.' },
    service: { name: 'Only what concerns my orders and requests', about: 'No offers, no news.' },
    nothing: { name: 'Nothing', about: 'Except what has to be sent, such as a receipt.' },
    saved: 'Your choices are saved. A message that is on its way already may still arrive.',
    unchanged: 'Nothing has changed: these are the choices that we had.',
    save: 'Save my choices',
    saveOne: 'Save my choice',
    notChosen: 'You have not chosen yet. Until you do, you get only what concerns your orders and requests.',
    overruled:
      'Another of your addresses has chosen less, and that holds for all of them. Its own link changes it.',
    asked:
      'Offers and news begin once you confirm: we send a message to this address. Press the button on the page to which its link leads.',
    preferred: 'Where we write to you first',
    lastUsed: 'Wherever you last wrote to us',
    others: 'Your other addresses',
    othersAbout:
      'This page changes only the address to which its link was sent. Each other address has a link of its own.',
    inAMessage: 'Open the link to your choices in a message that you got there.',
    sendTo: (address: string): string => `Send a link to ${address}`,
    send: 'Send a link to it',
  },
  expired: {
    title: 'This link has expired',
    text: 'For your safety, a link to your choices works for 30 days. Nothing was changed.',
    canSend: 'We can send a fresh link to the address to which this one was sent.',
    send: 'Send a fresh link',
    newest: 'To get a fresh one, open the link to your choices in our newest message.',
    unsubscribe: 'The link “unsubscribe” in any e-mail from us works at any age.',
  },
  linkSent: {
    title: 'A link is on its way',
    sent: 'We send a link, if we did not send several there lately.',
    about: 'The link opens the choices of that address.',
  },
};
export type Words = typeof english;
