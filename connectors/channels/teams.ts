// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
// The token does not cover the body. Two things tie it to the activity: the serviceurl claim must be the activity's own,
// and the key's endorsements must name the activity's channel.

import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { bearerToken, type PublicJwk, verifyRsaJwt } from '../../core/webhooks/signature.ts';

const METADATA = 'https://login.botframework.com/v1/.well-known/openidconfiguration';
const ISSUER = 'https://api.botframework.com';
const LEEWAY_SECONDS = 300;

export const teams = channel({
  id: 'teams',
  title: 'Microsoft Teams (Bot Framework)',
  docs: 'https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication',
  secrets: { appId: { about: 'the Microsoft App ID of the bot', isPublic: true } },
  schemes: { token: { covers: 'nothing', time: 'expires' } },
  content: {
    hosts: /^(?:[a-z0-9-]+\.)*sharepoint\.com$/u,
    authorise: (url) => ({ url }),
  },
  documents: { hosts: /^login\.botframework\.com$/u },
  async verify(request, { secrets, now, document }) {
    const token = bearerToken(request.headers['authorization']);
    if (token === undefined) return refused('the header authorization is missing or has no bearer token');
    const keysUrl = memberOf(jsonOf(await document(METADATA)), 'jwks_uri');
    const listed = memberOf(jsonOf(await document(String(keysUrl))), 'keys');
    const keys = Array.isArray(listed) ? listed.filter(isObject) : [];
    const jwt = verifyRsaJwt(token, keys, {
      now,
      leewaySeconds: LEEWAY_SECONDS,
      expires: true,
      issuer: ISSUER,
      audience: secrets.appId,
    });
    if ('refused' in jwt) return refused(jwt.refused);
    const activity = parseJson(request.body);
    const { serviceurl, serviceUrl } = jwt.claims;
    if ((serviceurl ?? serviceUrl) !== memberOf(activity, 'serviceUrl'))
      return refused('the token was issued for another service address than the activity names');
    const endorsements = keys.find(({ kid }) => kid === jwt.header['kid'])?.['endorsements'];
    if (!Array.isArray(endorsements) || !endorsements.includes(memberOf(activity, 'channelId')))
      return refused('the key of the token is not endorsed for the channel of the activity');
    const answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
    // Teams shows an error if the answer to an invoke has no body.
    return accepted('token', request, memberOf(activity, 'type') === 'invoke' ? { answer } : {});
  },
});

const isObject = (value: unknown): value is PublicJwk => typeof value === 'object' && value !== null;
const jsonOf = (text: string): unknown => parseJson(Buffer.from(text));
