import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md — the key is what stands
// behind `whsec_` in base64, not its text; the header holds several signatures during a rotation.

const TOLERANCE_SECONDS = 300;

export const standard = channel({
  id: 'standard',
  title: 'Your own programs (Standard Webhooks)',
  docs: 'https://www.standardwebhooks.com/',
  secrets: {
    signingSecret: { about: 'a secret of your own: whsec_ and at least 24 random bytes in base64' },
  },
  setup:
    'For a web form, a till, a call centre, a kiosk or an app: docs/standard.md says what to send and how to sign it.',
  verify(request, { secrets, now }) {
    const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
      (name) => request.headers[name],
    );
    if (id === undefined || timestamp === undefined || given === undefined)
      return refused('the header webhook-id, webhook-timestamp or webhook-signature is missing');
    if (!/^\d{1,12}$/u.test(timestamp) || !isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS))
      return refused('the request was signed more than five minutes ago, or in the future');
    const keys = secrets.signingSecret
      .map((secret) => Buffer.from(secret.replace(/^whsec_/u, ''), 'base64'))
      .filter((key) => key.byteLength > 0);
    const expected = keys.map(
      (key) => `v1,${hmac('sha256', key, 'base64', `${id}.${timestamp}.`, request.body)}`,
    );
    const right = given
      .split(' ')
      .slice(0, 20)
      .map((one) => sameAsAny(one, expected));
    return right.includes(true) ? accepted(request) : refused('the signature does not match');
  },
});
