// https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
// The console's Verify button sends a signed body without events, which must be answered with 200 like any other.

import { HubError } from '../../core/errors.ts';
import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { verifySignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';

export const line = channel({
  id: 'line',
  title: 'LINE (Messaging API)',
  docs: 'https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/',
  secrets: {
    channelSecret: { about: 'the Channel secret (Basic settings of the Messaging API channel)' },
    accessToken: {
      about: 'a long-lived channel access token (Messaging API settings), to store files',
      optional: true,
    },
  },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  content: {
    hosts: /^api-data\.line\.me$/u,
    authorise: (url, { accessToken: [token] }) =>
      token === undefined ? undefined : { url, headers: { authorization: `Bearer ${token}` } },
    // LINE converts video and audio first: the address of the conversion's state comes before that of the file.
    follow(url, answer) {
      const [, content] = /^(.+\/content)\/transcoding$/u.exec(url) ?? [];
      if (content === undefined) return undefined;
      const status = memberOf(parseJson(Buffer.from(answer)), 'status');
      if (status === 'succeeded') return content;
      throw new HubError('unreachable-content', `LINE has not made the file ready (${String(status)}).`, {
        retry: status === 'processing' ? 'later' : 'never',
      });
    },
  },
  verify: (request, { secrets }) =>
    verifySignature('hmac', request, {
      header: 'x-line-signature',
      expected: secrets.channelSecret.map((secret) => hmac('sha256', secret, 'base64', request.body)),
      secret: 'the Channel secret',
    }),
});
