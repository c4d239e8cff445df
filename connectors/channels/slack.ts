// https://docs.slack.dev/authentication/verifying-requests-from-slack
// Slack waits three seconds and repeats with the same event_id. It checks the address with a signed url_verification.

import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { acceptFresh, epochSeconds, missingHeader } from '../../core/webhooks/authentication.ts';
import { answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-slack-signature';
const TIMESTAMP = 'x-slack-request-timestamp';
const TOLERANCE_SECONDS = 300;

export const slack = channel({
  id: 'slack',
  title: 'Slack (Events API, interactivity, slash commands)',
  docs: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
  secrets: {
    signingSecret: { about: 'the Signing Secret of the app (Basic Information)' },
    botToken: { about: 'the bot token (xoxb-…, scope files:read), to store files', optional: true },
  },
  schemes: { hmac: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  content: {
    hosts: /^(?:[a-z0-9-]+\.)*slack\.com$/u,
    authorise: (url, { botToken: [token] }) =>
      token === undefined ? undefined : { url, headers: { authorization: `Bearer ${token}` } },
  },
  verify(request, { secrets, now }) {
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const { [SIGNATURE]: signature = '', [TIMESTAMP]: timestamp = '' } = request.headers;
    const expected = secrets.signingSecret.map(
      (secret) => `v0=${hmac('sha256', secret, 'hex', `v0:${timestamp}:`, request.body)}`,
    );
    if (!isOneOf(signature, expected))
      return refused('the signature does not match; check the Signing Secret');
    const signedAt = epochSeconds(timestamp);
    const verdict = acceptFresh('hmac', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
    const isJson = request.headers['content-type']?.startsWith('application/json') === true;
    if (verdict.verdict !== 'accepted' || !isJson) return verdict;
    const body = parseJson(request.body);
    if (memberOf(body, 'type') !== 'url_verification') return verdict;
    return answered('hmac', {
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: String(memberOf(body, 'challenge')),
    });
  },
});
