import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ClosedAddress } from '../../../core/identity/profile.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { type Html, html, page } from './html.ts';

export const channelNames: Readonly<Record<Channel, string>> = {
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
export const reopening: Readonly<Record<ClosedAddress['reason'], string>> = {
  'opt-out':
    'You sent STOP from here, so nothing is sent here. To get messages again, send START to the number that wrote to you.',
  bounce:
    'What we sent here came back, so nothing is sent here any more. If it works again, write to us from it, and ask us to open it.',
  complaint:
    'A message here was marked as spam, so nothing is sent here any more. If that was a mistake, write to us, and ask us to open it.',
};

/** The channel, with the address where it means something to a person; never the whole address. */
export const channelAndAddress = (channel: Channel, masked: string | undefined): Html =>
  html`${channelNames[channel]}${masked === undefined ? undefined : html` to <strong>${masked}</strong>`}`;

/** What became of a pressed button. */
export const outcome = (text: string): Html => html`<p class="said" role="status">${text}</p>\n`;

/** The link is not the hub's, is for another page, or a part of it is missing. */
export const brokenPage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(404, {
    hub,
    title: 'This link is not complete',
    body: html`<p>Nothing was changed. Open it from the message again. If you copied it, copy all of it.</p>`,
  });

export const gonePage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(410, {
    hub,
    title: 'We keep nothing about this address',
    body: html`<p>The address to which this link was sent is not in our records any more, so there is nothing to choose, and nothing is sent.</p>`,
  });

export const unreadableFormPage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(400, {
    hub,
    title: 'The form could not be read',
    body: html`<p>Nothing was changed. Open the link again and save your choices once more.</p>`,
  });
