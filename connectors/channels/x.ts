import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// The challenge (CRC) comes when the webhook is made, when it is changed, and again whenever X likes.

const SIGNATURE = 'x-twitter-webhooks-signature';

export const x = channel({
  id: 'x',
  title: 'X (Account Activity)',
  docs: 'https://docs.x.com/x-api/webhooks/introduction',
  secrets: { consumerSecret: { about: 'the API key secret (consumer secret) of the app' } },
  methods: ['GET'],
  verify(request, { secrets }) {
    if (request.method === 'GET') {
      const token = new URL(request.url).searchParams.get('crc_token');
      const [newest = ''] = secrets.consumerSecret;
      if (token === null || token === '') return refused('the address was called without a crc_token', 400);
      return answered({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ response_token: `sha256=${hmac('sha256', newest, 'base64', token)}` }),
      });
    }
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.consumerSecret.map(
      (secret) => `sha256=${hmac('sha256', secret, 'base64', request.body)}`,
    );
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the consumer secret');
  },
});
