// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
// ECDSA over timestamp + raw body, the CRLF behind each event included. Inbound Parse is signed only by a security
// policy: without one, the secret word in the address (`?key=…`) is the only proof.

import {
  acceptFresh,
  epochSeconds,
  hasAddressKey,
  missingHeader,
} from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { verifyEcdsa } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-twilio-email-event-webhook-signature';
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp';
/**
 * SendGrid retries events for 24 hours and mails for 72, and does not document whether it signs a retry anew. One hour
 * more allows for clocks.
 */
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
      isPublic: true,
    },
    inboundKey: {
      about: 'a long word of your own, appended to the Inbound Parse address as ?key=…',
      optional: true,
    },
  },
  schemes: {
    events: { covers: 'body', time: { toleranceSeconds: EVENT_TOLERANCE_SECONDS } },
    mail: { covers: 'body', time: { toleranceSeconds: MAIL_TOLERANCE_SECONDS } },
    addressKey: { covers: 'nothing', time: 'unsigned' },
  },
  verify(request, { secrets, now }) {
    const isMail = request.headers['content-type']?.startsWith('multipart/form-data') === true;
    const { [SIGNATURE]: signature, [TIMESTAMP]: timestamp } = request.headers;
    if (isMail && signature === undefined && timestamp === undefined)
      return hasAddressKey(request, secrets.inboundKey)
        ? accepted('addressKey', request)
        : refused('the address has no ?key=, or not the stored one');
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const signed = Buffer.concat([Buffer.from(timestamp ?? ''), request.body]);
    const bytes = Buffer.from(signature ?? '', 'base64');
    if (!secrets.publicKey.map((key) => verifyEcdsa(key, signed, bytes)).includes(true))
      return refused('the signature does not match; check the verification key');
    const signedAt = epochSeconds(timestamp ?? '');
    return isMail
      ? acceptFresh('mail', request, { signedAt, now, toleranceSeconds: MAIL_TOLERANCE_SECONDS })
      : acceptFresh('events', request, { signedAt, now, toleranceSeconds: EVENT_TOLERANCE_SECONDS });
  },
});
