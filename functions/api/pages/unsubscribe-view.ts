import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { html, page } from './html.ts';
import { channelAndAddress, channelNames, outcome } from './link-view.ts';

interface UnsubscribeView {
  readonly hub: string;
  readonly channel: Channel;
  /** The address of the link, not in full. */
  readonly masked: string | undefined;
}

/** The button that ends marketing. */
export const askPage = ({ hub, channel, masked }: UnsubscribeView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'Unsubscribe',
    body: html`<p>${channelAndAddress(channel, masked)}: no more offers and news. What concerns your orders and requests still comes.</p>
<form method="post"><button>Unsubscribe</button></form>`,
  });

export const donePage = ({ hub, channel }: UnsubscribeView): APIGatewayProxyStructuredResultV2 =>
  page(200, {
    hub,
    title: 'You are unsubscribed',
    body: html`${outcome(`Done. ${channelNames[channel]}: you get no more offers and news. A message that is on its way already may still arrive.`)}<p class="soft">To choose something else later, open the link to your choices in one of our messages.</p>`,
  });
