import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmacJwt } from '../../core/webhooks/signature.ts';

// The token authenticates Apple and not the body, which is compressed; ids and addresses stand in the headers.

export const apple = channel({
  id: 'apple',
  title: 'Apple Messages for Business',
  docs: 'https://register.apple.com/resources/messages/msp-rest-api/authentication',
  secrets: {
    secret: {
      about: 'the API secret of the messaging service provider account, in base64 as Apple gives it',
    },
    mspId: { about: 'the id of the messaging service provider account (CSP id)' },
  },
  verify(request, { secrets, now }) {
    const [, token] = /^bearer\s+(\S+)$/iu.exec(request.headers['authorization'] ?? '') ?? [];
    if (token === undefined) return refused('the header authorization is missing or holds no bearer token');
    const keys = secrets.secret.map((secret) => Buffer.from(secret, 'base64'));
    const judged = secrets.mspId.map((audience) =>
      hmacJwt(token, keys, ['HS256'], { now, audience, maxAgeSeconds: 3600 }),
    );
    const [first] = judged;
    if (judged.some((one) => 'claims' in one)) return accepted(request);
    return refused(first && 'refused' in first ? first.refused : 'the token is not right');
  },
});
