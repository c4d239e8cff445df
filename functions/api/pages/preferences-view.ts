import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ChannelChoice, PreferenceChoice } from '../../../core/consent/preferences.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { type Html, html, page } from './html.ts';
import { channelAndAddress, channelNames, outcome, reopening } from './link-view.ts';

interface Choice {
  readonly value: PreferenceChoice;
  readonly name: string;
  readonly about: string;
}
const everything: Choice = { value: 'everything', name: 'Everything', about: 'Offers and news too.' };
const service: Choice = {
  value: 'service',
  name: 'Only what concerns my orders and requests',
  about: 'No offers, no news.',
};
const nothing: Choice = {
  value: 'nothing',
  name: 'Nothing',
  about: 'Except what has to be sent, such as a receipt.',
};

export interface PreferencesView {
  readonly hub: string;
  /** The address of the link, not in full. */
  readonly masked: string | undefined;
  readonly channels: readonly ChannelChoice[];
  /** The channels through which the hub can write to the person. */
  readonly reachable: readonly Channel[];
  /** The channel that the person prefers, if they said so. */
  readonly preferred: Channel | undefined;
  /** The other addresses of the person, none in full. `handle`: a link can be sent to it. */
  readonly others: readonly {
    readonly channel: Channel;
    readonly masked: string | undefined;
    readonly handle?: string;
  }[];
  /** What came of the form; absent where the page is only looked at. */
  readonly outcome?: 'saved' | 'unchanged' | undefined;
}

const title = 'What we may send you';

export const preferencesPage = (view: PreferencesView): APIGatewayProxyStructuredResultV2 => {
  const { hub, masked, channels, reachable, preferred, others } = view;
  return page(200, {
    hub,
    title,
    body: html`${outcomeOf(view.outcome)}<form method="post">
${channels.map((one) => fieldset(one, masked))}
${reachable.length > 1 ? preferredFieldset(reachable, preferred) : undefined}
<button>Save my choices</button>
</form>
${others.length > 0 ? othersSection(others) : undefined}`,
  });
};

const outcomeOf = (came: PreferencesView['outcome']): Html | undefined => {
  if (came === undefined) return undefined;
  return outcome(
    came === 'saved'
      ? 'Your choices are saved. A message that is on its way already may still arrive.'
      : 'Nothing has changed: these are the choices that we had.',
  );
};

const fieldset = (
  { channel, closed, chosen, overruled }: ChannelChoice,
  masked: string | undefined,
): Html => html`<fieldset>
<legend>${channelNames[channel]}</legend>
${address(masked)}${closed === undefined ? undefined : html`<p>${reopening[closed]}</p>\n`}${
  closed === undefined && chosen === undefined ? notChosen : undefined
}${
  overruled
    ? html`<p>Another of your addresses has chosen less, and that holds for all of them. Its own link changes it.</p>\n`
    : undefined
}${closed === undefined ? [everything, service, nothing].map((one) => choiceRadio(channel, one, chosen)) : undefined}</fieldset>
`;

const address = (masked: string | undefined): Html | undefined =>
  masked === undefined ? undefined : html`<p class="soft">${masked}</p>\n`;

const notChosen = html`<p>You have not chosen yet. Until you do, you get only what concerns your orders and requests.</p>\n`;

const choiceRadio = (
  channel: Channel,
  { value, name, about }: Choice,
  chosen: PreferenceChoice | undefined,
): Html => radio(channel, value, value === chosen, name, about);

const radio = (group: string, value: string, checked: boolean, name: string, about?: string): Html =>
  html`<label><input type="radio" name="${group}" value="${value}"${checked ? html` checked` : undefined}><span>${name}${about === undefined ? undefined : html`<span class="soft">${about}</span>`}</span></label>\n`;

const preferredFieldset = (
  channels: readonly Channel[],
  preferred: Channel | undefined,
): Html => html`<fieldset>
<legend>Where we write to you first</legend>
${radio('preferred', 'none', preferred === undefined, 'Wherever you last wrote to us')}${channels.map(
  (channel) => radio('preferred', channel, channel === preferred, channelNames[channel]),
)}</fieldset>
`;

const othersSection = (others: PreferencesView['others']): Html => html`<section>
<h2>Your other addresses</h2>
<p class="soft">This page changes only the address to which its link was sent. Each other address has a link of its own.</p>
${others.map(
  ({
    channel,
    masked,
    handle,
  }) => html`<form method="post" class="other"><p>${channelAndAddress(channel, masked)}</p>
${
  handle === undefined
    ? html`<p class="soft">Open the link to your choices in a message that you got there.</p>`
    : html`<button name="send" value="${handle}" aria-label="Send a link to ${masked ?? channelNames[channel]}">Send a link to it</button>`
}</form>
`,
)}</section>`;

/** What claims have said about offers: `asked` is an opt-in that nobody has confirmed. */
export type ClaimedChoice = 'everything' | 'service' | 'asked';

interface ClaimedPreferencesView {
  readonly hub: string;
  readonly channel: Channel;
  readonly masked: string | undefined;
  readonly chosen: ClaimedChoice | undefined;
  readonly outcome?: 'saved' | 'unchanged';
}

/** The page of an address that nobody owns: there is nothing but offers to choose about. */
export const claimedPreferencesPage = ({
  hub,
  channel,
  masked,
  chosen,
  outcome: came,
}: ClaimedPreferencesView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title,
    body: html`${chosen === 'asked' && came === 'saved' ? undefined : outcomeOf(came)}${chosen === 'asked' ? asked : undefined}<form method="post">
<fieldset>
<legend>${channelNames[channel]}</legend>
${address(masked)}${chosen === undefined ? notChosen : undefined}${[everything, service].map((one) =>
  choiceRadio(channel, one, chosen === 'asked' ? 'everything' : chosen),
)}</fieldset>
<button>Save my choice</button>
</form>`,
  });

const asked = outcome(
  'Offers and news begin once you confirm: we send a message to this address. Press the button on the page to which its link leads.',
);

/** The link is too old to change anything; a fresh one goes to the same address, so that its holder learns nothing. */
export const expiredPage = ({
  hub,
  canSend,
}: {
  readonly hub: string;
  readonly canSend: boolean;
}): APIGatewayProxyStructuredResultV2 =>
  page(410, {
    hub,
    title: 'This link has expired',
    body: html`<p>For your safety, a link to your choices works for 30 days. Nothing was changed.</p>
${
  canSend
    ? html`<p>We can send a fresh link to the address to which this one was sent.</p>
<form method="post"><button name="send" value="this">Send a fresh link</button></form>`
    : html`<p>To get a fresh one, open the link to your choices in our newest message.</p>`
}
<p class="soft">The link “unsubscribe” in any e-mail from us works at any age.</p>`,
  });

export const linkSentPage = ({
  hub,
  channel,
  masked,
}: {
  readonly hub: string;
  readonly channel: Channel;
  readonly masked: string | undefined;
}): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'A link is on its way',
    body: html`${outcome('We send a link, if we did not send several there lately.')}<p>${channelAndAddress(channel, masked)}. The link opens the choices of that address.</p>`,
  });
