import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import { digest, hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// Versions 1 and 2 are plain digests over the secret and name themselves in a header; version 3 is an HMAC with a time and
// is judged wherever it is there. Whether HubSpot decoded an address before it signed depends on its age: both are tried.

const SIGNATURE = 'x-hubspot-signature';
const VERSION = 'x-hubspot-signature-version';
const SIGNATURE_3 = 'x-hubspot-signature-v3';
const TIMESTAMP = 'x-hubspot-request-timestamp';
const TOLERANCE_SECONDS = 300;

export const hubspot = channel({
  id: 'hubspot',
  title: 'HubSpot (webhooks)',
  docs: 'https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests',
  secrets: {
    clientSecret: { about: 'the client secret of the HubSpot app' },
    accessToken: {
      about: 'an access token with conversations.read, to fetch what was said in the inbox and by whom',
      optional: true,
    },
  },
  content: {
    hosts: /api\.hubapi\.com|(?:[a-z0-9-]+\.)*hubspotusercontent[a-z0-9-]*\.net/u,
    authorise(url, { accessToken: [token] }) {
      if (new URL(url).hostname !== 'api.hubapi.com') return { url };
      return token === undefined ? undefined : { url, headers: { authorization: `Bearer ${token}` } };
    },
  },
  methods: ['GET', 'PUT'],
  verify(request, { secrets, now }) {
    const given = request.headers[SIGNATURE_3];
    if (given === undefined) return older(request, secrets.clientSecret);
    const timestamp = request.headers[TIMESTAMP];
    if (timestamp === undefined) return refused(`the header ${TIMESTAMP} is missing`);
    const expected = secrets.clientSecret.flatMap((secret) =>
      urlForms(request.url).map((url) =>
        hmac('sha256', secret, 'base64', request.method, url, request.body, timestamp),
      ),
    );
    if (!sameAsAny(given, expected))
      return refused('the signature does not match; check the client secret and the public URL');
    return /^\d{1,15}$/u.test(timestamp) && isFresh(Number(timestamp), now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request was signed more than five minutes ago, or in the future');
  },
});

const older = (request: WebhookRequest, secrets: readonly string[]) => {
  const { method, url, headers, body } = request;
  const [given, version = 'v1'] = [headers[SIGNATURE], headers[VERSION]];
  if (given === undefined) return refused(`the header ${SIGNATURE_3} is missing`);
  if (version !== 'v1' && version !== 'v2') return refused(`the header ${VERSION} names an unknown version`);
  const expected = secrets.flatMap((secret) =>
    version === 'v1'
      ? [digest('sha256', secret, body).toString('hex')]
      : urlForms(url).map((form) => digest('sha256', secret, method, form, body).toString('hex')),
  );
  return sameAsAny(given.toLowerCase(), expected)
    ? accepted(request)
    : refused('the signature does not match; check the client secret and the public URL');
};

/** The address as it is, and with the characters decoded that HubSpot decodes. */
const urlForms = (url: string): string[] => {
  const decoded = url.replace(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/giu, (one) =>
    decodeURIComponent(one),
  );
  return decoded === url ? [url] : [url, decoded];
};
