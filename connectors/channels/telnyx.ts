import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { ed25519, isFresh } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'telnyx-signature-ed25519';
const TIMESTAMP = 'telnyx-timestamp';
const TOLERANCE_SECONDS = 300;

export const telnyx = channel({
  id: 'telnyx',
  title: 'Telnyx (SMS, MMS, RCS, WhatsApp, voice)',
  docs: 'https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks',
  secrets: { publicKey: { about: 'the public key of the account (Keys & Credentials)' } },
  content: {
    // Media and recordings stand under addresses that are signed and expire.
    hosts: /(?:[a-z0-9-]+\.)*(?:telnyx(?:storage|cloudstorage)?\.com|s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com)/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets, now }) {
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const signed = Buffer.concat([Buffer.from(`${timestamp}|`), request.body]);
    const bytes = Buffer.from(signature, 'base64');
    if (!secrets.publicKey.map((key) => ed25519(key, signed, bytes)).includes(true))
      return refused('the signature does not match; check the public key');
    return /^\d{1,12}$/u.test(timestamp) && isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request was signed more than five minutes ago, or in the future');
  },
});
