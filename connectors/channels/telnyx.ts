// https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks
// The signature is in base64, the signed text is the timestamp, a bar and the body.

import { acceptFresh, epochSeconds, missingHeader } from '../../core/webhooks/authentication.ts';
import { channel, refused } from '../../core/webhooks/channel.ts';
import { verifyEd25519 } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'telnyx-signature-ed25519';
const TIMESTAMP = 'telnyx-timestamp';
const TOLERANCE_SECONDS = 300;

export const telnyx = channel({
  id: 'telnyx',
  title: 'Telnyx (SMS, MMS, RCS, WhatsApp, voice)',
  docs: 'https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks',
  secrets: { publicKey: { about: 'the public key of the account (Keys & Credentials)', isPublic: true } },
  schemes: { ed25519: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  content: {
    // Media and recordings have addresses that are signed and expire.
    hosts:
      /^(?:[a-z0-9-]+\.)*(?:telnyx(?:storage|cloudstorage)?\.com|s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com)$/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets, now }) {
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const { [SIGNATURE]: signature = '', [TIMESTAMP]: timestamp = '' } = request.headers;
    const signed = Buffer.concat([Buffer.from(`${timestamp}|`), request.body]);
    const bytes = Buffer.from(signature, 'base64');
    if (!secrets.publicKey.map((key) => verifyEd25519(key, signed, bytes)).includes(true))
      return refused('the signature does not match; check the public key');
    const signedAt = epochSeconds(timestamp);
    return acceptFresh('ed25519', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});
