// https://register.apple.com/resources/messages/msp-rest-api/authentication
// The token authenticates Apple and not the body, which is compressed; ids and addresses are in the headers.

import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { bearerToken, verifyHmacJwt } from '../../core/webhooks/signature.ts';

const TOLERANCE_SECONDS = 3600;

export const apple = channel({
  id: 'apple',
  title: 'Apple Messages for Business',
  docs: 'https://register.apple.com/resources/messages/msp-rest-api/authentication',
  secrets: {
    secret: {
      about: 'the API secret of the messaging service provider account, in base64 as Apple shows it',
    },
    mspId: { about: 'the id of the messaging service provider account (CSP id)', isPublic: true },
  },
  schemes: { token: { covers: 'nothing', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  verify(request, { secrets, now }) {
    const token = bearerToken(request.headers['authorization']);
    if (token === undefined) return refused('the header authorization is missing or has no bearer token');
    const keys = secrets.secret.map((secret) => Buffer.from(secret, 'base64'));
    const rules = { now, audience: secrets.mspId, maxAgeSeconds: TOLERANCE_SECONDS };
    const jwt = verifyHmacJwt(token, keys, ['HS256'], rules);
    return 'refused' in jwt ? refused(jwt.refused) : accepted('token', request);
  },
});
