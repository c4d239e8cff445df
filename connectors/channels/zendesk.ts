import { accepted, channel, refused } from '../../core/channel.ts';
import { hmac, sameAsAny } from '../../core/signature.ts';

// The time is signed as text and Zendesk prescribes no window: its own retries keep the first time.

const SIGNATURE = 'x-zendesk-webhook-signature';
const TIMESTAMP = 'x-zendesk-webhook-signature-timestamp';

export const zendesk = channel({
  id: 'zendesk',
  title: 'Zendesk (event subscriptions, trigger webhooks)',
  docs: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
  secrets: { signingSecret: { about: 'the signing secret of the webhook' } },
  setup:
    'A webhook of a trigger sends what you write: use the keys ticket_id, title, requester_email, requester_name, latest_comment and updated_at.',
  verify(request, { secrets }) {
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const expected = secrets.signingSecret.map((secret) =>
      hmac('sha256', secret, 'base64', timestamp, request.body),
    );
    return sameAsAny(signature, expected)
      ? accepted(request)
      : refused('the signature does not match; check the signing secret');
  },
});
