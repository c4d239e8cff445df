// https://docs.x.com/x-api/webhooks/introduction
// X sends the challenge (CRC) when the webhook is created, when it changes, and again at any time.

import { verifySignature } from '../../core/webhooks/authentication.ts';
import { answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';

export const x = channel({
  id: 'x',
  title: 'X (Account Activity)',
  docs: 'https://docs.x.com/x-api/webhooks/introduction',
  secrets: { consumerSecret: { about: 'the API key secret (consumer secret) of the app' } },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  methods: ['GET'],
  verify(request, { secrets }) {
    if (request.method === 'GET') {
      const token = new URL(request.url).searchParams.get('crc_token');
      const [newest = ''] = secrets.consumerSecret;
      if (!token) return refused('the request has no crc_token', 400);
      return answered('open', {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ response_token: `sha256=${hmac('sha256', newest, 'base64', token)}` }),
      });
    }
    return verifySignature('hmac', request, {
      header: 'x-twitter-webhooks-signature',
      expected: secrets.consumerSecret.map(
        (secret) => `sha256=${hmac('sha256', secret, 'base64', request.body)}`,
      ),
      secret: 'the consumer secret',
    });
  },
});
