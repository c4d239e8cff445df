import { readTime } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// The time is signed as text. Zendesk prescribes no window; it gives up within minutes, and an old request is a repeated one.

const SIGNATURE = 'x-zendesk-webhook-signature';
const TIMESTAMP = 'x-zendesk-webhook-signature-timestamp';
const TOLERANCE_SECONDS = 3600;

export const zendesk = channel({
  id: 'zendesk',
  title: 'Zendesk (event subscriptions, trigger webhooks)',
  docs: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
  secrets: { signingSecret: { about: 'the signing secret of the webhook' } },
  setup:
    'A webhook of a trigger sends what you write: use the keys ticket_id, title, requester_email, requester_name, latest_comment and updated_at.',
  verify(request, { secrets, now }) {
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const expected = secrets.signingSecret.map((secret) =>
      hmac('sha256', secret, 'base64', timestamp, request.body),
    );
    if (!sameAsAny(signature, expected))
      return refused('the signature does not match; check the signing secret');
    return isFresh(Date.parse(readTime(timestamp) ?? ''), now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request was signed more than an hour ago, or in the future');
  },
});
