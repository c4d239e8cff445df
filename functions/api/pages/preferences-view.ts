import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ChannelChoice, PreferenceChoice } from '../../../core/consent/preferences.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { type Html, html, page } from './html.ts';
import { channelAndAddress, outcome } from './link-view.ts';
import type { Site } from './site.ts';

export interface PreferencesView {
  readonly site: Site;
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

export const preferencesPage = (view: PreferencesView): APIGatewayProxyStructuredResultV2 => {
  const { site, masked, channels, reachable, preferred, others } = view;
  const words = site.words.preferences;
  return page(200, {
    ...{ site, title: words.title },
    body: html`${outcomeOf(site, view.outcome)}<form method="post">
${channels.map((one) => fieldset(site, one, masked))}
${reachable.length > 1 ? preferredFieldset(site, reachable, preferred) : undefined}
<button>${words.save}</button>
</form>
${others.length > 0 ? othersSection(site, others) : undefined}`,
  });
};

const outcomeOf = ({ words }: Site, came: PreferencesView['outcome']): Html | undefined =>
  came === undefined ? undefined : outcome(words.preferences[came]);

const fieldset = (
  site: Site,
  { channel, closed, chosen, overruled }: ChannelChoice,
  masked: string | undefined,
): Html => html`<fieldset>
<legend>${site.words.channels[channel]}</legend>
${address(masked)}${closed === undefined ? undefined : html`<p>${site.words.reopening[closed]}</p>\n`}${
  closed === undefined && chosen === undefined ? notChosen(site) : undefined
}${
  overruled ? html`<p>${site.words.preferences.overruled}</p>\n` : undefined
}${closed === undefined ? choices.map((one) => choiceRadio(site, channel, one, chosen)) : undefined}</fieldset>
`;

const address = (masked: string | undefined): Html | undefined =>
  masked === undefined ? undefined : html`<p class="soft">${masked}</p>\n`;

const notChosen = ({ words }: Site): Html => html`<p>${words.preferences.notChosen}</p>\n`;

const choices: readonly PreferenceChoice[] = ['everything', 'service', 'nothing'];

const choiceRadio = (
  { words }: Site,
  channel: Channel,
  choice: PreferenceChoice,
  chosen: PreferenceChoice | undefined,
): Html => {
  const { name, about } = words.preferences[choice];
  return radio(channel, choice, choice === chosen, name, about);
};

const radio = (group: string, value: string, checked: boolean, name: string, about?: string): Html =>
  html`<label><input type="radio" name="${group}" value="${value}"${checked ? html` checked` : undefined}><span>${name}${about === undefined ? undefined : html`<span class="soft">${about}</span>`}</span></label>\n`;

const preferredFieldset = (
  { words }: Site,
  channels: readonly Channel[],
  preferred: Channel | undefined,
): Html => html`<fieldset>
<legend>${words.preferences.preferred}</legend>
${radio('preferred', 'none', preferred === undefined, words.preferences.lastUsed)}${channels.map((channel) =>
  radio('preferred', channel, channel === preferred, words.channels[channel]),
)}</fieldset>
`;

const othersSection = (site: Site, others: PreferencesView['others']): Html => html`<section>
<h2>${site.words.preferences.others}</h2>
<p class="soft">${site.words.preferences.othersAbout}</p>
${others.map(
  ({
    channel,
    masked,
    handle,
  }) => html`<form method="post" class="other"><p>${channelAndAddress(site, channel, masked)}</p>
${
  handle === undefined
    ? html`<p class="soft">${site.words.preferences.inAMessage}</p>`
    : html`<button name="send" value="${handle}" aria-label="${site.words.preferences.sendTo(masked ?? site.words.channels[channel])}">${site.words.preferences.send}</button>`
}</form>
`,
)}</section>`;

/** What claims have said about offers: `asked` is an opt-in that nobody has confirmed. */
export type ClaimedChoice = 'everything' | 'service' | 'asked';

interface ClaimedPreferencesView {
  readonly site: Site;
  readonly channel: Channel;
  readonly masked: string | undefined;
  readonly chosen: ClaimedChoice | undefined;
  readonly outcome?: 'saved' | 'unchanged';
}

/** The page of an address that nobody owns: there is nothing but offers to choose about. */
export const claimedPreferencesPage = ({
  site,
  channel,
  masked,
  chosen,
  outcome: came,
}: ClaimedPreferencesView): APIGatewayProxyStructuredResultV2 => {
  const words = site.words.preferences;
  const isAsked = chosen === 'asked';
  return page(200, {
    ...{ site, title: words.title },
    body: html`${isAsked && came === 'saved' ? undefined : outcomeOf(site, came)}${isAsked ? outcome(words.asked) : undefined}<form method="post">
<fieldset>
<legend>${site.words.channels[channel]}</legend>
${address(masked)}${chosen === undefined ? notChosen(site) : undefined}${claimedChoices.map((one) =>
  choiceRadio(site, channel, one, isAsked ? 'everything' : chosen),
)}</fieldset>
<button>${words.saveOne}</button>
</form>`,
  });
};

const claimedChoices: readonly PreferenceChoice[] = ['everything', 'service'];

/** The link is too old to change anything; a fresh one goes to the same address, so that its holder learns nothing. */
export const expiredPage = ({
  site,
  canSend,
}: {
  readonly site: Site;
  readonly canSend: boolean;
}): APIGatewayProxyStructuredResultV2 => {
  const words = site.words.expired;
  return page(410, {
    ...{ site, title: words.title },
    body: html`<p>${words.text}</p>
${
  canSend
    ? html`<p>${words.canSend}</p>
<form method="post"><button name="send" value="this">${words.send}</button></form>`
    : html`<p>${words.newest}</p>`
}
<p class="soft">${words.unsubscribe}</p>`,
  });
};

export const linkSentPage = ({
  site,
  channel,
  masked,
}: {
  readonly site: Site;
  readonly channel: Channel;
  readonly masked: string | undefined;
}): APIGatewayProxyStructuredResultV2 => {
  const { title, sent, about } = site.words.linkSent;
  return page(200, {
    ...{ site, title },
    body: html`${outcome(sent)}<p>${channelAndAddress(site, channel, masked)}. ${about}</p>`,
  });
};
