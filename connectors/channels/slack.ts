import { parseJson } from '../../core/formats/payload.ts';
import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// Slack waits three seconds and repeats with the same event_id. The address is tried with a signed url_verification.

const SIGNATURE = 'x-slack-signature';
const TIMESTAMP = 'x-slack-request-timestamp';
const TOLERANCE_SECONDS = 300;

export const slack = channel({
  id: 'slack',
  title: 'Slack (Events API, interactivity, slash commands)',
  docs: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
  secrets: {
    signingSecret: { about: 'the Signing Secret of the app (Basic Information)' },
    botToken: { about: 'the bot token (xoxb-…, scope files:read), to keep files', optional: true },
  },
  content: {
    hosts: /(?:.+\.)?slack\.com/u,
    authorise: (url, { botToken: [token] }) =>
      token === undefined ? undefined : { url, headers: { authorization: `Bearer ${token}` } },
  },
  verify(request, { secrets, now }) {
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const expected = secrets.signingSecret.map(
      (secret) => `v0=${hmac('sha256', secret, 'hex', `v0:${timestamp}:`, request.body)}`,
    );
    if (!sameAsAny(signature, expected))
      return refused('the signature does not match; check the Signing Secret');
    if (!isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)) return refused('the request is stale');
    if (request.headers['content-type']?.startsWith('application/json') !== true) return accepted(request);
    const body = parseJson(request.body);
    if (typeof body === 'object' && body !== null && Reflect.get(body, 'type') === 'url_verification') {
      return answered({
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
        body: String(Reflect.get(body, 'challenge')),
      });
    }
    return accepted(request);
  },
});
