import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { html, page } from './html.ts';
import { channelAndAddress, outcome } from './link-view.ts';
import type { Site } from './site.ts';

interface UnsubscribeView {
  readonly site: Site;
  readonly channel: Channel;
  /** The address of the link, not in full. */
  readonly masked: string | undefined;
}

/** The button that ends marketing. */
export const askPage = ({ site, channel, masked }: UnsubscribeView): APIGatewayProxyStructuredResultV2 => {
  const { title, asked, button } = site.words.unsubscribe;
  return page(200, {
    ...{ site, title },
    body: html`<p>${channelAndAddress(site, channel, masked)}: ${asked}</p>
<form method="post"><button>${button}</button></form>`,
  });
};

export const donePage = ({ site, channel }: UnsubscribeView): APIGatewayProxyStructuredResultV2 => {
  const { doneTitle, done, later } = site.words.unsubscribe;
  return page(200, {
    ...{ site, title: doneTitle },
    body: html`${outcome(done(site.words.channels[channel]))}<p class="soft">${later}</p>`,
  });
};
