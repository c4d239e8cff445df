import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { SandboxAnswer, SandboxRequest } from '../../protocol/server.ts';
import type { Account } from '../account/account.ts';
import { HubspotError } from '../errors.ts';
import { json } from '../routes/call.ts';

const TOKEN_SECONDS = 1_800;

const privateAppQuestion = z.object({ tokenKey: z.string() });

export interface AppCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

const refusal = (status: string, message: string): SandboxAnswer => json(400, { status, message });

/** Tokens of the app that the account has installed. A refresh token stays the same for as long as it is not deleted. */
export class OAuth {
  readonly credentials: AppCredentials = {
    clientId: '6f1a1f7e-0000-4000-8000-5a4db0c5ee01',
    clientSecret: 'b1946ac9-0000-4000-8000-5a4db0c5ee02',
    refreshToken: 'na1-5a4d-b0c5-ee03-4000-8000-000000000003',
  };
  readonly #account: Account;
  readonly #scopes: readonly string[];
  readonly #privateToken: string;

  /** `privateToken`: the access token of the private app, which does not expire. */
  constructor(account: Account, scopes: readonly string[], privateToken: string) {
    this.#account = account;
    this.#scopes = scopes;
    this.#privateToken = privateToken;
  }

  /** What is behind `/oauth/`; undefined for other calls. */
  answer({ method, path, body, query }: SandboxRequest): SandboxAnswer | undefined {
    if (method === 'POST') {
      const form = new URLSearchParams(body === '' ? query.toString() : body);
      if (path === '/oauth/v1/token') return this.#token(form);
      if (path === '/oauth/v1/token/introspect') return this.#introspect(form);
      if (path === '/oauth/v2/private-apps/get/access-token-info') return this.#privateApp(body);
    }
    const token = decodeURIComponent(path.split('/').at(-1) ?? '');
    if (method === 'GET' && path.startsWith('/oauth/v1/access-tokens/')) return this.#accessToken(token);
    if (path.startsWith('/oauth/v1/refresh-tokens/')) {
      if (method === 'GET') return this.#refreshToken(token);
      if (method === 'DELETE') return this.#revoke(token);
    }
    return undefined;
  }

  /** Throws HubSpot's refusal of a token that is unknown or has expired. */
  check(token: string): void {
    const held = this.#account.store.get('access-token', token);
    if (!held) throw unauthenticated();
    const late = this.#account.now() - Number(held.fields['expiresAt']);
    if (late >= 0)
      throw new HubspotError(
        401,
        `The OAuth token used to make this call expired ${Math.floor(late / 1_000)} second(s) ago.`,
        { category: 'EXPIRED_AUTHENTICATION' },
      );
  }

  /** Ends every access token; refresh tokens stay. */
  expire(): void {
    for (const { id } of this.#account.store.list('access-token'))
      this.#account.store.put('access-token', id, { expiresAt: this.#account.now() });
  }

  #token(form: URLSearchParams): SandboxAnswer {
    const { clientId, clientSecret, refreshToken } = this.credentials;
    if (form.get('grant_type') !== 'refresh_token')
      return refusal('BAD_GRANT_TYPE', 'the sandbox knows grant_type refresh_token only');
    if (form.get('client_id') !== clientId) return refusal('BAD_CLIENT_ID', 'missing or unknown client id');
    if (form.get('client_secret') !== clientSecret)
      return refusal('BAD_CLIENT_SECRET', 'missing or invalid client secret');
    if (form.get('refresh_token') !== refreshToken || this.#revoked())
      return refusal('BAD_REFRESH_TOKEN', 'missing or unknown refresh token');
    const accessToken = `CSandbox${randomUUID().replaceAll('-', '')}`;
    this.#account.store.put('access-token', accessToken, {
      expiresAt: this.#account.now() + TOKEN_SECONDS * 1_000,
    });
    return json(200, {
      token_type: 'bearer',
      refresh_token: refreshToken,
      access_token: accessToken,
      expires_in: TOKEN_SECONDS,
    });
  }

  #introspect(form: URLSearchParams): SandboxAnswer {
    const { clientId, clientSecret } = this.credentials;
    if (form.get('client_id') !== clientId) return refusal('BAD_CLIENT_ID', 'missing or unknown client id');
    if (form.get('client_secret') !== clientSecret)
      return refusal('BAD_CLIENT_SECRET', 'missing or invalid client secret');
    return this.#accessToken(form.get('token') ?? '');
  }

  #privateApp(body: string): SandboxAnswer {
    const asked = privateAppQuestion.safeParse(JSON.parse(body));
    if (asked.data?.tokenKey !== this.#privateToken)
      return json(404, { status: 'error', message: 'Token is not found', category: 'OBJECT_NOT_FOUND' });
    const { portalId: hubId, appId } = this.#account;
    return json(200, { userId: 50_261, hubId, appId, scopes: this.#scopes });
  }

  #accessToken(token: string): SandboxAnswer {
    const held = this.#account.store.get('access-token', token);
    if (!held)
      return json(404, { status: 'error', message: 'Token is not found', category: 'OBJECT_NOT_FOUND' });
    const left = Math.floor((Number(held.fields['expiresAt']) - this.#account.now()) / 1_000);
    return json(200, {
      ...this.#about(token),
      app_id: this.#account.appId,
      expires_in: left,
      token_type: 'access',
    });
  }

  #refreshToken(token: string): SandboxAnswer {
    if (token !== this.credentials.refreshToken || this.#revoked())
      return json(404, { status: 'error', message: 'Token is not found', category: 'OBJECT_NOT_FOUND' });
    return json(200, { ...this.#about(token), client_id: this.credentials.clientId, token_type: 'refresh' });
  }

  #about(token: string) {
    return {
      token,
      user: 'admin@example.com',
      user_id: 50_261,
      hub_domain: 'sandbox.example.com',
      hub_id: this.#account.portalId,
      scopes: this.#scopes,
    };
  }

  #revoke(token: string): SandboxAnswer {
    if (token === this.credentials.refreshToken) this.#account.store.put('revoked', 'refresh-token', {});
    return { status: 204, body: undefined };
  }

  #revoked(): boolean {
    return this.#account.store.get('revoked', 'refresh-token') !== undefined;
  }
}

export const unauthenticated = (): HubspotError =>
  new HubspotError(
    401,
    'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview',
    { category: 'INVALID_AUTHENTICATION' },
  );
