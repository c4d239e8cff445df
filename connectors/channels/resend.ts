import { parseJson } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// Svix signs for Resend: the key is what stands behind `whsec_` in base64, and the header holds a list, of which versions
// other than v1 do not concern us.

const TOLERANCE_SECONDS = 300;

export const resend = channel({
  id: 'resend',
  title: 'Resend (webhooks, inbound mail)',
  docs: 'https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests',
  secrets: {
    signingSecret: { about: 'the signing secret of the webhook (whsec_…)' },
    apiKey: { about: 'an API key with full access, to fetch mails that came in', optional: true },
  },
  content: {
    hosts: /(?:[a-z0-9-]+\.)*resend\.(?:com|app)/u,
    authorise(url, { apiKey: [key] }) {
      if (new URL(url).hostname !== 'api.resend.com') return { url };
      return key === undefined ? undefined : { url, headers: { authorization: `Bearer ${key}` } };
    },
    follow(url, answer) {
      if (!/^https:\/\/api\.resend\.com\/emails\/receiving\/[^/]+\/attachments\//u.test(url))
        return undefined;
      const read = parseJson(Buffer.from(answer));
      return typeof read === 'object' && read !== null && 'download_url' in read
        ? String(read.download_url)
        : undefined;
    },
  },
  verify(request, { secrets, now }) {
    const [id, timestamp, given] = ['svix-id', 'svix-timestamp', 'svix-signature'].map(
      (name) => request.headers[name],
    );
    if (!id || !timestamp || !given)
      return refused('the header svix-id, svix-timestamp or svix-signature is missing');
    if (!/^\d{1,12}$/u.test(timestamp) || !isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS))
      return refused('the request was signed more than five minutes ago, or in the future');
    const expected = secrets.signingSecret
      .map((secret) => Buffer.from(secret.replace(/^whsec_/u, ''), 'base64'))
      .filter((key) => key.byteLength > 0)
      .map((key) => `v1,${hmac('sha256', key, 'base64', `${id}.${timestamp}.`, request.body)}`);
    const right = given
      .split(' ')
      .slice(0, 20)
      .map((one) => sameAsAny(one, expected));
    return right.includes(true) ? accepted(request) : refused('the signature does not match');
  },
});
