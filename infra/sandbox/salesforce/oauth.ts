import { createPublicKey, randomBytes, verify } from 'node:crypto';
import * as z from 'zod';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import type { Org } from './data/org.ts';

/** What the connected app of the sandbox accepts. */
export const salesforceLogin = {
  clientId: '3MVG9SandboxConsumerKey',
  clientSecret: 'sandbox-consumer-secret',
  username: 'integration@sandbox.invalid',
  password: 'sandbox-password',
  refreshToken: '5Aep861SandboxRefreshToken',
} as const;

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const PUBLIC_AUDIENCES = ['https://login.salesforce.com', 'https://test.salesforce.com'];

const JwtHeader = z.object({ alg: z.literal('RS256') });
const JwtClaims = z.object({ iss: z.string(), sub: z.string(), aud: z.string(), exp: z.number() });

export const identityPath = (org: Org, user: string): string => `/id/${org.id}/${user}`;

const refusal = (error: string, error_description: string): SandboxAnswer => ({
  status: 400,
  body: { error, error_description },
});

interface Options {
  readonly org: Org;
  /** The id of the user of the connected app. */
  readonly user: string;
  /** A PEM certificate or public key with which JWT bearer assertions are signed. */
  readonly jwtKey: string | undefined;
  readonly url: () => string;
}

/** Logins, and the sessions that are open. */
export class OAuth {
  readonly #options: Options;
  readonly #sessions = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The user of a session; undefined where it has ended. */
  user(token: string): string | undefined {
    return this.#sessions.has(token) ? this.#options.user : undefined;
  }

  endSessions(): void {
    this.#sessions.clear();
  }

  /** `POST /services/oauth2/token` */
  token({ body, headers }: SandboxRequest): SandboxAnswer {
    const form = new URLSearchParams(body);
    const [, basic = ''] = /^Basic (.+)$/u.exec(headers['authorization'] ?? '') ?? [];
    const [id, secret] = Buffer.from(basic, 'base64').toString().split(':');
    const clientId = form.get('client_id') ?? (id || undefined);
    const clientSecret = form.get('client_secret') ?? secret;
    const grant = form.get('grant_type') ?? '';
    const refused =
      grant === JWT_BEARER
        ? this.#refuseAssertion(form.get('assertion') ?? '')
        : (refuseClient(clientId, clientSecret) ?? refuseGrant(grant, form));
    return refused ?? this.#opened();
  }

  #opened(): SandboxAnswer {
    const { org, user, url } = this.#options;
    const access_token = `${org.id.slice(0, 15)}!${randomBytes(24).toString('hex')}`;
    this.#sessions.add(access_token);
    const instance = url();
    return {
      status: 200,
      body: {
        access_token,
        signature: randomBytes(32).toString('base64'),
        scope: 'api refresh_token',
        instance_url: instance,
        id: `${instance}${identityPath(org, user)}`,
        token_type: 'Bearer',
        issued_at: String(org.now()),
      },
    };
  }

  #refuseAssertion(assertion: string): SandboxAnswer | undefined {
    const { jwtKey, org, url } = this.#options;
    const [header = '', claims = '', signature = ''] = assertion.split('.');
    const kind = JwtHeader.safeParse(decoded(header));
    const parsed = JwtClaims.safeParse(decoded(claims));
    const invalid = refusal('invalid_grant', 'invalid assertion');
    if (jwtKey === undefined || !kind.success || !parsed.success) return invalid;
    const { iss, sub, aud, exp } = parsed.data;
    if (iss !== salesforceLogin.clientId) return refusal('invalid_client_id', 'client identifier invalid');
    if (
      !verify(
        'RSA-SHA256',
        Buffer.from(`${header}.${claims}`),
        createPublicKey(jwtKey),
        Buffer.from(signature, 'base64url'),
      )
    )
      return invalid;
    if (![url(), ...PUBLIC_AUDIENCES].includes(aud.replace(/\/$/u, '')))
      return refusal('invalid_grant', 'audience is invalid');
    if (exp * 1000 <= org.now()) return refusal('invalid_grant', 'assertion is expired');
    return sub === salesforceLogin.username
      ? undefined
      : refusal('invalid_grant', "user hasn't approved this consumer");
  }

  /** `/id/…` and `/services/oauth2/userinfo` */
  identity(user: string): SandboxAnswer {
    const { org, url } = this.#options;
    const instance = url();
    const email = salesforceLogin.username;
    const body = {
      id: `https://login.salesforce.com${identityPath(org, user)}`,
      sub: `https://login.salesforce.com${identityPath(org, user)}`,
      asserted_user: true,
      user_id: user,
      organization_id: org.id,
      username: email,
      preferred_username: email,
      nick_name: 'integration',
      display_name: 'Integration User',
      name: 'Integration User',
      email,
      email_verified: true,
      first_name: 'Integration',
      last_name: 'User',
      active: true,
      user_type: 'STANDARD',
      language: 'en_US',
      locale: 'en_US',
      utcOffset: 0,
      photos: { picture: `${instance}/profilephoto/005/F`, thumbnail: `${instance}/profilephoto/005/T` },
      urls: {
        rest: `${instance}/services/data/v{version}/`,
        sobjects: `${instance}/services/data/v{version}/sobjects/`,
        query: `${instance}/services/data/v{version}/query/`,
        search: `${instance}/services/data/v{version}/search/`,
      },
    };
    return { status: 200, body };
  }
}

const decoded = (part: string): unknown => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
};

const refuseClient = (id: string | undefined, secret: string | undefined): SandboxAnswer | undefined => {
  if (id !== salesforceLogin.clientId) return refusal('invalid_client_id', 'client identifier invalid');
  return secret === salesforceLogin.clientSecret
    ? undefined
    : refusal('invalid_client', 'invalid client credentials');
};

const refuseGrant = (grant: string, form: URLSearchParams): SandboxAnswer | undefined => {
  if (grant === 'client_credentials') return undefined;
  if (grant === 'refresh_token')
    return form.get('refresh_token') === salesforceLogin.refreshToken
      ? undefined
      : refusal('invalid_grant', 'expired access/refresh token');
  if (grant !== 'password') return refusal('unsupported_grant_type', 'grant type not supported');
  const known =
    form.get('username') === salesforceLogin.username && form.get('password') === salesforceLogin.password;
  return known ? undefined : refusal('invalid_grant', 'authentication failure');
};
