// https://developers.facebook.com/docs/messenger-platform/reference/send-api
// A person has another id on each page, so that only the token of that page reaches them, and only within 24 hours of their
// last message (error 10, subcode 2018278).

import * as z from 'zod';
import { httpSender } from '../../../core/triggers/sending/http-sender.ts';
import { refusal } from '../../../core/triggers/sending/sender.ts';
import { bearer, codeOf, GRAPH, messagingErrors, SentMessage, scoped } from './graph.ts';

const Page = z.looseObject({ id: z.string(), name: z.string().optional() });

export const messenger = httpSender({
  id: 'messenger',
  title: 'Messenger',
  docs: 'https://developers.facebook.com/docs/messenger-platform/reference/send-api',
  provider: 'meta',
  channels: ['messenger'],
  vendor: 'Messenger',
  secrets: {
    pageId: { about: 'the id of the Facebook page (About, Page transparency)' },
    accessToken: {
      about: 'a page access token of that page with pages_messaging; that of a system user does not expire',
    },
  },
  // https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting
  usual: { rate: { count: 300, windowMs: 1000 } },
  codeOf: codeOf(messagingErrors),
  errors: messagingErrors,
  async send(message, { secret: { pageId, accessToken }, request }) {
    const [page, person] = scoped(message.to);
    if (page !== pageId)
      throw refusal(
        `The person wrote to the page ${page}, and the stored token is that of the page ${pageId}: no other page can answer.`,
      );
    const json = {
      recipient: { id: person },
      messaging_type: 'RESPONSE',
      message: { text: message.text, metadata: message.id },
    };
    const url = `${GRAPH}/${encodeURIComponent(pageId)}/messages`;
    const { body } = await request({ url, headers: bearer(accessToken), json }, SentMessage);
    return body.message_id;
  },
  async check({ secret: { pageId, accessToken }, request }) {
    const url = `${GRAPH}/me?fields=id,name`;
    const { id, name } = (await request({ url, headers: bearer(accessToken) }, Page)).body;
    if (id === pageId) return `the page ${name ?? id}`;
    throw refusal(`The token is that of ${name ?? 'an account'} (${id}), not of the page ${pageId}.`);
  },
});
