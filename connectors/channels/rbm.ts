import { parseJson } from '../../core/formats/payload.ts';
import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// What is signed is the decoded `message.data` and not the body around it. The handshake names the token that both sides
// know, and wants its secret back.

const SIGNATURE = 'x-goog-signature';

export const rbm = channel({
  id: 'rbm',
  title: 'Google RCS for Business (RBM)',
  docs: 'https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks',
  secrets: { clientToken: { about: 'the client token of the webhook (Integrations of the agent)' } },
  content: {
    hosts: /(?:[a-z0-9-]+\.)*googleapis\.com/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets }) {
    const read = readable(request.body);
    if (read === undefined) return refused('the body is not JSON', 400);
    const [token, secret] = [read('clientToken'), read('secret')];
    const given = request.headers[SIGNATURE];
    if (given === undefined && typeof token === 'string' && typeof secret === 'string')
      return sameAsAny(token, secrets.clientToken)
        ? answered({ status: 200, headers: { 'content-type': 'text/plain' }, body: secret })
        : refused('the client token is not the stored one');
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const inner = memberOf(read('message'))('data');
    if (typeof inner !== 'string') return refused('the body holds no message.data');
    const signed = Buffer.from(inner, 'base64');
    const expected = secrets.clientToken.map((one) => hmac('sha512', one, 'base64', signed));
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the client token');
  },
});

const readable = (body: Uint8Array): ReturnType<typeof memberOf> | undefined => {
  try {
    return memberOf(parseJson(body));
  } catch {
    return undefined;
  }
};

const memberOf =
  (read: unknown) =>
  (name: string): unknown =>
    typeof read === 'object' && read !== null ? new Map(Object.entries(read)).get(name) : undefined;
