import { parseJson } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { type PublicJwk, rsaJwt } from '../../core/webhooks/signature.ts';

// The token does not cover the body. What ties the two is the serviceurl claim, which must be the activity's own, and
// the key's endorsements, which must name its channel.

const METADATA = 'https://login.botframework.com/v1/.well-known/openidconfiguration';
const ISSUER = 'https://api.botframework.com';
const LEEWAY_SECONDS = 300;

export const teams = channel({
  id: 'teams',
  title: 'Microsoft Teams (Bot Framework)',
  docs: 'https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication',
  secrets: { appId: { about: 'the Microsoft App ID of the bot' } },
  content: {
    hosts: /(?:[a-z0-9-]+\.)*sharepoint\.com/u,
    authorise: (url) => ({ url }),
  },
  documents: { hosts: /login\.botframework\.com/u },
  async verify(request, { secrets, now, document }) {
    const [, token] = /^bearer\s+(\S+)$/iu.exec(request.headers['authorization'] ?? '') ?? [];
    if (token === undefined) return refused('the header authorization is missing or holds no bearer token');
    const keysUrl = told(jsonOf(await document(METADATA)), 'jwks_uri');
    const keys = told(jsonOf(await document(String(keysUrl))), 'keys');
    const known = Array.isArray(keys) ? keys.filter(isObject) : [];
    const judged = rsaJwt(token, known, {
      now,
      leewaySeconds: LEEWAY_SECONDS,
      expires: true,
      issuer: ISSUER,
      audience: secrets.appId,
    });
    if ('refused' in judged) return refused(judged.refused);
    const activity = parseJson(request.body);
    const { serviceurl, serviceUrl } = judged.claims;
    if ((serviceurl ?? serviceUrl) !== told(activity, 'serviceUrl'))
      return refused('the token was given for another service address than the activity names');
    const endorsements = known.find(({ kid }) => kid === judged.header['kid'])?.['endorsements'];
    if (!Array.isArray(endorsements) || !endorsements.includes(told(activity, 'channelId')))
      return refused('the key of the token is not endorsed for the channel of the activity');
    // An invoke waits for a body.
    return accepted(
      request,
      told(activity, 'type') === 'invoke'
        ? { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
        : undefined,
    );
  },
});

const isObject = (value: unknown): value is PublicJwk => typeof value === 'object' && value !== null;
const told = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined);
const jsonOf = (text: string): unknown => parseJson(Buffer.from(text));
