import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ClosedAddress } from '../../../core/identity/profile.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { html, page } from './html.ts';
import { channelAndAddress, outcome } from './link-view.ts';
import type { Site } from './site.ts';

interface ConfirmView {
  readonly site: Site;
  readonly channel: Channel;
  /** The address of the link, not in full. */
  readonly masked: string | undefined;
}

/** The button that confirms: a link alone would be pressed by every scanner of mail. */
export const askPage = ({ site, channel, masked }: ConfirmView): APIGatewayProxyStructuredResultV2 => {
  const { title, asked, button, notYou } = site.words.confirm;
  return page(200, {
    ...{ site, title },
    body: html`<p>${channelAndAddress(site, channel, masked)}: ${asked}</p>
<form method="post"><button>${button}</button></form>
<p class="soft">${notYou}</p>`,
  });
};

export const donePage = ({ site, channel, masked }: ConfirmView): APIGatewayProxyStructuredResultV2 => {
  const { doneTitle, done, howToEnd } = site.words.confirm;
  return page(200, {
    ...{ site, title: doneTitle },
    body: html`${outcome(done)}<p>${channelAndAddress(site, channel, masked)}. ${howToEnd}</p>`,
  });
};

export const expiredPage = ({ site }: ConfirmView): APIGatewayProxyStructuredResultV2 => {
  const { expiredTitle, expired } = site.words.confirm;
  return page(410, { site, title: expiredTitle, body: html`<p>${expired}</p>` });
};

/** Nothing may be sent to the address, whatever its owner confirms. */
export const closedPage = (
  { site, channel, masked }: ConfirmView,
  reason: ClosedAddress['reason'],
): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    ...{ site, title: site.words.confirm.closedTitle },
    body: html`<p>${channelAndAddress(site, channel, masked)}</p>
<p>${site.words.reopening[reason]}</p>`,
  });
