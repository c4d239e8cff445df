import { createSign, generateKeyPairSync } from 'node:crypto';
import { hmac } from '../../core/webhooks/signature.ts';

/** A webhook as its provider would send it now. */
export interface Sample {
  /** Printed while it is sent. */
  readonly about: string;
  readonly provider: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The HTTP status with which the hub must answer. */
  readonly status: number;
}

const twilioToken = 'sample-twilio-auth-token';
const metaSecret = 'sample-meta-app-secret';

/** https://www.twilio.com/docs/usage/security#validating-requests */
export const twilioSigner = (publicUrl: string) => ({
  secret: { authToken: twilioToken },
  /** `isForged`: signed with another token. */
  sign(about: string, fields: Readonly<Record<string, string>>, isForged = false): Sample {
    const sorted = Object.keys(fields)
      .sort()
      .map((name) => `${name}${fields[name]}`)
      .join('');
    const token = isForged ? 'another token' : twilioToken;
    return {
      about,
      provider: 'twilio',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': hmac('sha1', token, 'base64', `${publicUrl}/webhooks/twilio`, sorted),
      },
      body: new URLSearchParams(fields).toString(),
      status: isForged ? 401 : 200,
    };
  },
});

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads */
export const metaSigner = {
  secret: { appSecret: metaSecret, verifyToken: 'sample-verify-token' },
  sign(about: string, payload: object): Sample {
    const body = JSON.stringify(payload);
    return {
      about,
      provider: 'meta',
      headers: {
        'content-type': 'application/json',
        'x-hub-signature-256': `sha256=${hmac('sha256', metaSecret, 'hex', body)}`,
      },
      body,
      status: 200,
    };
  },
} as const;

/**
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 * `seconds`: the epoch seconds of the signature.
 */
export const sendgridSigner = (seconds: number) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const timestamp = String(seconds);
  return {
    secret: { publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') },
    sign: (about: string, contentType: string, body: string): Sample => ({
      about,
      provider: 'sendgrid',
      headers: {
        'content-type': contentType,
        'x-twilio-email-event-webhook-signature': createSign('sha256')
          .update(timestamp + body)
          .sign(privateKey, 'base64'),
        'x-twilio-email-event-webhook-timestamp': timestamp,
      },
      body,
      status: 200,
    }),
  };
};
