import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ChannelChoice, PreferenceChoice } from '../../../core/consent/preferences.ts';
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

const choices: readonly {
  readonly value: PreferenceChoice;
  readonly name: string;
  readonly about: string;
}[] = [
  { value: 'everything', name: 'Everything', about: 'Offers and news too.' },
  {
    value: 'service',
    name: 'Only what concerns my orders and requests',
    about: 'No offers, no news.',
  },
  { value: 'nothing', name: 'Nothing', about: 'Except what has to be sent, such as a receipt.' },
];

const reopening: Readonly<Record<ClosedAddress['reason'], string>> = {
  'opt-out':
    'You sent STOP from here, so nothing is sent here. To get messages again, send START to the number that wrote to you.',
  bounce:
    'What we sent here came back, so nothing is sent here any more. If it works again, write to us from it, and ask us to open it.',
  complaint:
    'A message here was marked as spam, so nothing is sent here any more. If that was a mistake, write to us, and ask us to open it.',
};

export interface PreferencesView {
  readonly hub: string;
  readonly channels: readonly ChannelChoice[];
  /** The channel that the person prefers, if they said so. */
  readonly preferred: Channel | undefined;
  /** What came of the form; absent where the page is only looked at. */
  readonly outcome?: 'saved' | 'unchanged' | undefined;
}

export const preferencesPage = ({
  hub,
  channels,
  preferred,
  outcome,
}: PreferencesView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'What we may send you',
    body:
      channels.length === 0
        ? html`<p>We have no address to which we could send you anything.</p>`
        : html`${said(outcome)}<form method="post">
${channels.map(fieldset)}
${channels.filter(({ open }) => open).length > 1 ? preferredFieldset(channels, preferred) : undefined}
<button>Save my choices</button>
</form>`,
  });

const said = (outcome: PreferencesView['outcome']): Html | undefined => {
  if (outcome === undefined) return undefined;
  const text =
    outcome === 'saved'
      ? 'Your choices are saved. A message that is on its way already may still arrive.'
      : 'Nothing has changed: these are the choices that we had.';
  return html`<p class="said" role="status">${text}</p>\n`;
};

const fieldset = ({ channel, addresses, chosen, open }: ChannelChoice): Html => html`<fieldset>
<legend>${channelNames[channel]}</legend>
${addresses.map(({ masked, closed }) => html`${masked === undefined ? undefined : html`<p class="soft">${masked}</p>\n`}${closed === undefined ? undefined : html`<p>${reopening[closed]}</p>\n`}`)}${
  open && chosen === undefined
    ? html`<p>You have not chosen yet. Until you do, you get only what concerns your orders and requests.</p>\n`
    : undefined
}${
  open
    ? choices.map(({ value, name, about }) => radio(channel, value, value === chosen, name, about))
    : undefined
}</fieldset>
`;

const radio = (group: string, value: string, checked: boolean, name: string, about?: string): Html =>
  html`<label><input type="radio" name="${group}" value="${value}"${checked ? html` checked` : undefined}><span>${name}${about === undefined ? undefined : html`<span class="soft">${about}</span>`}</span></label>\n`;

const preferredFieldset = (
  channels: readonly ChannelChoice[],
  preferred: Channel | undefined,
): Html => html`<fieldset>
<legend>Where we write to you first</legend>
${radio('preferred', 'none', preferred === undefined, 'Wherever you last wrote to us')}${channels
  .filter(({ open }) => open)
  .map(({ channel }) => radio('preferred', channel, channel === preferred, channelNames[channel]))}</fieldset>
`;

/** The link is the hub's and of a person, but too old to change anything. */
export const expiredPage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(410, {
    hub,
    title: 'This link has expired',
    body: html`<p>For your safety, a link to your choices works for a limited time only. Nothing was changed.</p>
<p>To get a fresh one, open the link to your choices in our newest message, or the link “unsubscribe” in any e-mail from us, however old: the page behind it leads here.</p>`,
  });

/** The link is not the hub's, or a part of it is missing. */
export const brokenPage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(404, {
    hub,
    title: 'This link is not complete',
    body: html`<p>Open it from the message again. If you copied it, copy all of it.</p>`,
  });

export const gonePage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(410, {
    hub,
    title: 'We keep nothing about you here',
    body: html`<p>The person for whom this link was made was erased from our records, so there is nothing to choose, and nothing is sent.</p>`,
  });

export const unreadableFormPage = (hub: string): APIGatewayProxyStructuredResultV2 =>
  page(400, {
    hub,
    title: 'The form could not be read',
    body: html`<p>Nothing was changed. Open the link again and save your choices once more.</p>`,
  });
