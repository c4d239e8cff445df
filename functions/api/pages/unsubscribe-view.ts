import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { html, page } from './html.ts';
import { channelNames } from './preferences-view.ts';

export interface UnsubscribeView {
  readonly hub: string;
  readonly channel: Channel;
  /** The address that is meant, not in full. */
  readonly masked: string | undefined;
  /** Where the other choices are, as an address relative to this page. */
  readonly preferences: string;
}

/** The button that ends marketing: mail readers and scanners open links too, so opening it changes nothing. */
export const askPage = ({
  hub,
  channel,
  masked,
  preferences,
}: UnsubscribeView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'Unsubscribe',
    body: html`<p>${channelNames[channel]}${masked === undefined ? undefined : html` to <strong>${masked}</strong>`}: no more offers and news. What concerns your orders and requests still comes.</p>
<form method="post"><button>Unsubscribe</button></form>
<p><a href="${preferences}">Choose what you get instead</a></p>`,
  });

export const donePage = ({ hub, channel, preferences }: UnsubscribeView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'You are unsubscribed',
    body: html`<p class="said" role="status">Done. ${channelNames[channel]}: you get no more offers and news. A message that is on its way already may still arrive.</p>
<p><a href="${preferences}">See all your choices</a></p>`,
  });
