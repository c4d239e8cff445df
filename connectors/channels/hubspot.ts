// https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
// Versions 1 and 2 are plain digests over the secret, named in a header; version 3 is an HMAC with a time and decides
// whenever it is there. Whether HubSpot decoded an address before it signed depends on its age: both forms are tried.

import { acceptFresh, missingHeader } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import { digest, hmac, isOneOf } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-hubspot-signature';
const VERSION = 'x-hubspot-signature-version';
const SIGNATURE_3 = 'x-hubspot-signature-v3';
const TIMESTAMP = 'x-hubspot-request-timestamp';
const TOLERANCE_SECONDS = 300;
const MISMATCH = 'the signature does not match; check the client secret and the public URL';

export const hubspot = channel({
  id: 'hubspot',
  title: 'HubSpot (webhooks)',
  docs: 'https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests',
  secrets: {
    clientSecret: { about: 'the client secret of the HubSpot app' },
    accessToken: {
      about: 'an access token with conversations.read, to fetch the messages of the inbox and their senders',
      optional: true,
    },
  },
  schemes: {
    v3: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } },
    v2: { covers: 'body', time: 'unsigned' },
    v1: { covers: 'body', time: 'unsigned', optionalHeaders: [VERSION] },
  },
  content: {
    hosts: /^(?:api\.hubapi\.com|(?:[a-z0-9-]+\.)*hubspotusercontent[a-z0-9-]*\.net)$/u,
    authorise(url, { accessToken: [token] }) {
      if (new URL(url).hostname !== 'api.hubapi.com') return { url };
      return token === undefined ? undefined : { url, headers: { authorization: `Bearer ${token}` } };
    },
  },
  methods: ['GET', 'PUT'],
  verify(request, { secrets, now }) {
    const { [SIGNATURE_3]: signature, [TIMESTAMP]: timestamp = '' } = request.headers;
    if (signature === undefined) return verifyOlder(request, secrets.clientSecret);
    const missing = missingHeader(request, TIMESTAMP);
    if (missing) return missing;
    const expected = secrets.clientSecret.flatMap((secret) =>
      urlForms(request.url).map((url) =>
        hmac('sha256', secret, 'base64', request.method, url, request.body, timestamp),
      ),
    );
    if (!isOneOf(signature, expected)) return refused(MISMATCH);
    const signedAt = /^\d{1,15}$/u.test(timestamp) ? Number(timestamp) : Number.NaN;
    return acceptFresh('v3', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});

const verifyOlder = (request: WebhookRequest, secrets: readonly string[]) => {
  const { method, url, headers, body } = request;
  const { [SIGNATURE]: signature, [VERSION]: version = 'v1' } = headers;
  if (signature === undefined) return refused(`the header ${SIGNATURE_3} is missing`);
  if (version !== 'v1' && version !== 'v2') return refused(`the header ${VERSION} names an unknown version`);
  const expected = secrets.flatMap((secret) =>
    version === 'v1'
      ? [digest('sha256', secret, body).toString('hex')]
      : urlForms(url).map((form) => digest('sha256', secret, method, form, body).toString('hex')),
  );
  return isOneOf(signature.toLowerCase(), expected) ? accepted(version, request) : refused(MISMATCH);
};

/** The address as it is, and with the characters decoded that HubSpot decodes. */
const urlForms = (url: string): string[] => {
  const decoded = url.replace(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/giu, (one) =>
    decodeURIComponent(one),
  );
  return decoded === url ? [url] : [url, decoded];
};
