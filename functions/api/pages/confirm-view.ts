import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ClosedAddress } from '../../../core/identity/profile.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { html, page } from './html.ts';
import { channelAndAddress, outcome, reopening } from './link-view.ts';

interface ConfirmView {
  readonly hub: string;
  readonly channel: Channel;
  /** The address of the link, not in full. */
  readonly masked: string | undefined;
}

/** The button that confirms: a link alone would be pressed by every scanner of mail. */
export const askPage = ({ hub, channel, masked }: ConfirmView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'Do you want our offers and news?',
    body: html`<p>${channelAndAddress(channel, masked)}: somebody asked for our offers and news here. With the button you confirm that this address is yours and that you want them.</p>
<form method="post"><button>Yes, send them to me</button></form>
<p class="soft">Was it not you? Close this page. Without the button, no offers and no news are sent.</p>`,
  });

export const donePage = ({ hub, channel, masked }: ConfirmView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'Thank you',
    body: html`${outcome('It is confirmed: we may send you our offers and news.')}<p>${channelAndAddress(channel, masked)}. Every message has a link with which you end them.</p>`,
  });

export const expiredPage = ({ hub }: ConfirmView): APIGatewayProxyStructuredResultV2 =>
  page(410, {
    hub,
    title: 'This link has expired',
    body: html`<p>Nothing was changed, and no offers or news are sent because of it. If you still want them, sign up again: you get a new link.</p>`,
  });

/** Nothing may be sent to the address, whatever its owner confirms. */
export const closedPage = (
  { hub, channel, masked }: ConfirmView,
  reason: ClosedAddress['reason'],
): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'Nothing is sent to this address',
    body: html`<p>${channelAndAddress(channel, masked)}</p>
<p>${reopening[reason]}</p>`,
  });
