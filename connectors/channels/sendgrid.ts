import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { ecdsa, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// ECDSA over timestamp + raw body, the CRLF behind each event included. Inbound Parse is signed only where a security
// policy says so: without one, the secret word in the address (`?key=…`) is all that there is.

const SIGNATURE = 'x-twilio-email-event-webhook-signature';
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp';
/** Events are tried for 24 hours, mails for 72; whether a retry is signed anew is not told. An hour is for the clocks. */
const EVENT_TOLERANCE_SECONDS = 25 * 3600;
const MAIL_TOLERANCE_SECONDS = 73 * 3600;

export const sendgrid = channel({
  id: 'sendgrid',
  title: 'SendGrid (Event Webhook, Inbound Parse)',
  docs: 'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features',
  secrets: {
    publicKey: {
      about: 'the verification key of the signed event webhook or the security policy',
      optional: true,
    },
    inboundKey: {
      about: 'a long word of your own, appended to the Inbound Parse address as ?key=…',
      optional: true,
    },
  },
  setup:
    'Mails of up to 4.4 MB with their files come in by Inbound Parse; larger ones through ses, or mailgun with store(notify).',
  verify(request, { secrets, now }) {
    const isMail = request.headers['content-type']?.startsWith('multipart/form-data') === true;
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined && timestamp === undefined) {
      if (!isMail) return refused(`the header ${SIGNATURE} is missing`);
      const key = new URL(request.url).searchParams.get('key') ?? '';
      return key !== '' && sameAsAny(key, secrets.inboundKey)
        ? accepted(request)
        : refused('the address has no ?key=, or not the stored one');
    }
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const signed = Buffer.concat([Buffer.from(timestamp), request.body]);
    const bytes = Buffer.from(signature, 'base64');
    const right = secrets.publicKey.map((key) => ecdsa(key, signed, bytes)).includes(true);
    if (!right) return refused('the signature does not match; check the verification key');
    const tolerance = isMail ? MAIL_TOLERANCE_SECONDS : EVENT_TOLERANCE_SECONDS;
    return /^\d{1,12}$/u.test(timestamp) && isFresh(Number(timestamp) * 1000, now, tolerance)
      ? accepted(request)
      : refused(`the request was signed more than ${tolerance / 3600} hours ago, or in the future`);
  },
});
