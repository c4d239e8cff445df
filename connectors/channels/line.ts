import { HubError } from '../../core/errors.ts';
import { parseJson } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// The console's Verify button sends a signed body without events, which must be answered with 200 like any other.

const SIGNATURE = 'x-line-signature';

export const line = channel({
  id: 'line',
  title: 'LINE (Messaging API)',
  docs: 'https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/',
  secrets: {
    channelSecret: { about: 'the Channel secret (Basic settings of the Messaging API channel)' },
    accessToken: {
      about: 'a long-lived channel access token (Messaging API settings), to keep files',
      optional: true,
    },
  },
  content: {
    hosts: /api-data\.line\.me/u,
    authorise: (url, { accessToken: [token] }) =>
      token === undefined ? undefined : { url, headers: { authorization: `Bearer ${token}` } },
    // Video and audio are converted first, and asked for by way of how far that is.
    follow(url, answer) {
      const [, content] = /^(.+\/content)\/transcoding$/u.exec(url) ?? [];
      if (content === undefined) return undefined;
      const read = parseJson(Buffer.from(answer));
      const status = typeof read === 'object' && read !== null && 'status' in read ? read.status : undefined;
      if (status === 'succeeded') return content;
      throw new HubError('content-unreachable', `LINE has not made the file ready (${String(status)}).`, {
        retry: status === 'processing' ? 'later' : 'never',
      });
    },
  },
  verify(request, { secrets }) {
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.channelSecret.map((secret) => hmac('sha256', secret, 'base64', request.body));
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the Channel secret');
  },
});
