// https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message
// The token is that of the Facebook page to which the professional account is linked. Only within 24 hours of the person's
// last message (error 10, subcode 2534022).

import * as z from 'zod';
import { httpSender } from '../../../core/triggers/sending/http-sender.ts';
import { refusal } from '../../../core/triggers/sending/sender.ts';
import { bearer, codeOf, GRAPH, messagingErrors, SentMessage, scoped } from './graph.ts';

const Page = z.looseObject({
  instagram_business_account: z.looseObject({ id: z.string(), username: z.string().optional() }).optional(),
});

export const instagram = httpSender({
  id: 'instagram',
  title: 'Instagram (messages)',
  docs: 'https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message',
  provider: 'meta',
  channels: ['instagram'],
  vendor: 'Instagram',
  secrets: {
    accountId: { about: 'the id of the Instagram professional account, as its webhooks name it' },
    accessToken: {
      about:
        'a page access token of the linked Facebook page with instagram_manage_messages; that of a system user does not expire',
    },
  },
  // https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting
  usual: { rate: { count: 300, windowMs: 1000 } },
  codeOf: codeOf(messagingErrors),
  errors: messagingErrors,
  async send(message, { secret: { accountId, accessToken }, request }) {
    const [account, person] = scoped(message.to);
    if (account !== accountId)
      throw refusal(
        `The person wrote to the account ${account}, and the stored token is that of the account ${accountId}: no other account can answer.`,
      );
    const json = { recipient: { id: person }, message: { text: message.text } };
    const url = `${GRAPH}/me/messages`;
    const { body } = await request({ url, headers: bearer(accessToken), json }, SentMessage);
    return body.message_id;
  },
  async check({ secret: { accountId, accessToken }, request }) {
    const url = `${GRAPH}/me?fields=instagram_business_account{id,username}`;
    const { instagram_business_account: account } = (
      await request({ url, headers: bearer(accessToken) }, Page)
    ).body;
    if (account?.id === accountId) return `the account ${account.username ?? accountId}`;
    throw refusal(
      `The token is that of a page whose Instagram account is ${account?.id ?? 'missing'}, not ${accountId}.`,
    );
  },
});
