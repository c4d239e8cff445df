import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { type Html, html, page } from './html.ts';
import type { Site } from './site.ts';

/** The channel, with the address where it means something to a person; never the whole address. */
export const channelAndAddress = ({ words }: Site, channel: Channel, masked: string | undefined): Html =>
  html`${words.channels[channel]}${masked === undefined ? undefined : html` ${words.to} <strong>${masked}</strong>`}`;

/** What became of a pressed button. */
export const outcome = (text: string): Html => html`<p class="said" role="status">${text}</p>\n`;

const plainPage =
  (status: number, textOf: (words: Site['words']) => { readonly title: string; readonly text: string }) =>
  (site: Site): APIGatewayProxyStructuredResultV2 => {
    const { title, text } = textOf(site.words);
    return page(status, { site, title, body: html`<p>${text}</p>` });
  };

/** The link is not the hub's, is for another page, or a part of it is missing. */
export const brokenPage = plainPage(404, ({ broken }) => broken);

export const gonePage = plainPage(410, ({ gone }) => gone);

export const unreadableFormPage = plainPage(400, ({ unreadableForm }) => unreadableForm);
