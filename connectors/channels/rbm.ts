// https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
// The signature covers the decoded `message.data` and not the body around it. The handshake names the client token,
// which both sides know, and expects its secret in the answer.

import { ifReadable, memberOf, parseJson } from '../../core/formats/payload.ts';
import { oversizedBody, verifySignature } from '../../core/webhooks/authentication.ts';
import { answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

/** A text has at most 3,072 characters, and files are addresses. */
const LARGEST_BODY_BYTES = 131_072;
const SIGNATURE = 'x-goog-signature';

export const rbm = channel({
  id: 'rbm',
  title: 'Google RCS for Business (RBM)',
  docs: 'https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks',
  secrets: { clientToken: { about: 'the client token of the webhook (Integrations of the agent)' } },
  schemes: {
    hmac: { covers: { member: 'data' }, time: 'unsigned' },
    clientToken: { covers: 'nothing', time: 'unsigned' },
  },
  content: {
    hosts: /^(?:[a-z0-9-]+\.)*googleapis\.com$/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets }) {
    const tooLarge = oversizedBody(request, LARGEST_BODY_BYTES);
    if (tooLarge) return tooLarge;
    const body = ifReadable(() => parseJson(request.body));
    if (body === undefined) return refused('the body is not JSON', 400);
    const [token, secret] = [memberOf(body, 'clientToken'), memberOf(body, 'secret')];
    const isSigned = request.headers[SIGNATURE] !== undefined;
    if (!isSigned && typeof token === 'string' && typeof secret === 'string')
      return isOneOf(token, secrets.clientToken)
        ? answered('clientToken', { status: 200, headers: { 'content-type': 'text/plain' }, body: secret })
        : refused('the client token is not the stored one');
    const data = memberOf(memberOf(body, 'message'), 'data');
    if (isSigned && typeof data !== 'string') return refused('the body has no message.data');
    const signed = Buffer.from(String(data), 'base64');
    return verifySignature('hmac', request, {
      header: SIGNATURE,
      expected: secrets.clientToken.map((one) => hmac('sha512', one, 'base64', signed)),
      secret: 'the client token',
    });
  },
});
