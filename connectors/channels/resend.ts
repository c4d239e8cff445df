// https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests
// Svix signs for Resend by the scheme of Standard Webhooks, with names of its own for the headers.

import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { standardSchemes, verifyStandard } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

export const resend = channel({
  id: 'resend',
  title: 'Resend (webhooks, inbound mail)',
  docs: 'https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests',
  secrets: {
    signingSecret: { about: 'the signing secret of the webhook (whsec_…)' },
    apiKey: { about: 'an API key with full access, to fetch inbound mails', optional: true },
  },
  schemes: standardSchemes,
  content: {
    hosts: /^(?:[a-z0-9-]+\.)*resend\.(?:com|app)$/u,
    authorise(url, { apiKey: [key] }) {
      if (new URL(url).hostname !== 'api.resend.com') return { url };
      return key === undefined ? undefined : { url, headers: { authorization: `Bearer ${key}` } };
    },
    follow(url, answer) {
      if (!/^https:\/\/api\.resend\.com\/emails\/receiving\/[^/]+\/attachments\//u.test(url))
        return undefined;
      const file = memberOf(parseJson(Buffer.from(answer)), 'download_url');
      return file === undefined ? undefined : String(file);
    },
  },
  verify: (request, { secrets, now }) => verifyStandard(request, 'svix', secrets.signingSecret, now),
});
