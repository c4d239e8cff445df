import { randomBytes } from 'node:crypto';
import type { SandboxAnswer, SandboxRequest } from '../../protocol/server.ts';
import { answerOf } from '../rest/call.ts';

const LIFETIME = 30 * 60_000;
const REFRESH_LIFETIME = 100 * 86_400_000;

/** What the instance accepts: an OAuth application, and the user of the integration. */
export const servicenowLogin = {
  clientId: '5c1d6d2a0e7b3010a1f2c3d4e5f60718',
  clientSecret: 'sandbox-client-secret',
  username: 'hub.integration',
  password: 'sandbox-password',
} as const;

/** The instance hides why it refuses: grant type, client, secret and password have the same answer. */
export const refusedLogin = (): SandboxAnswer =>
  answerOf(401, { error: 'server_error', error_description: 'access_denied' });

interface Token {
  readonly token: string;
  readonly expires: number;
}

/** Tokens of the OAuth application, all of which are for the user of the integration. */
export class OAuth {
  readonly #now: () => number;
  readonly #clientCredentials: boolean;
  #access: Token | undefined;
  #refresh: Token | undefined;

  /** `clientCredentials`: whether the property of this grant is on. */
  constructor(now: () => number, clientCredentials: boolean) {
    this.#now = now;
    this.#clientCredentials = clientCredentials;
  }

  /** `POST /oauth_token.do`. The form must be form-encoded. */
  token({ body, headers, method }: SandboxRequest): SandboxAnswer {
    const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
    const form = new URLSearchParams(isForm ? body : '');
    const { clientId, clientSecret } = servicenowLogin;
    const isClient = form.get('client_id') === clientId && form.get('client_secret') === clientSecret;
    if (method !== 'POST' || !isClient || !this.#grants(form)) return refusedLogin();
    const withRefresh = form.get('grant_type') !== 'client_credentials';
    if (withRefresh) this.#refresh = this.#current(this.#refresh, REFRESH_LIFETIME);
    // Until it expires, every request is answered with the same token.
    this.#access = this.#current(this.#access, LIFETIME);
    return answerOf(200, {
      access_token: this.#access.token,
      ...(withRefresh && { refresh_token: this.#refresh?.token }),
      scope: 'useraccount',
      token_type: 'Bearer',
      expires_in: Math.ceil((this.#access.expires - this.#now()) / 1_000) - 1,
    });
  }

  /** The user id of who calls; undefined where nobody is logged in. */
  user(authorization = ''): string | undefined {
    const { username, password } = servicenowLogin;
    const [, scheme = '', given = ''] = /^(Basic|Bearer) (\S+)$/iu.exec(authorization) ?? [];
    const accepted =
      scheme.toLowerCase() === 'basic'
        ? Buffer.from(given, 'base64').toString() === `${username}:${password}`
        : given !== '' && given === this.#access?.token && this.#access.expires > this.#now();
    return accepted ? username : undefined;
  }

  endSessions(): void {
    this.#access = undefined;
  }

  #grants(form: URLSearchParams): boolean {
    const { username, password } = servicenowLogin;
    switch (form.get('grant_type')) {
      case 'client_credentials':
        return this.#clientCredentials;
      case 'password':
        return form.get('username') === username && form.get('password') === password;
      case 'refresh_token':
        return (
          form.get('refresh_token') === this.#refresh?.token && (this.#refresh?.expires ?? 0) > this.#now()
        );
      default:
        return false;
    }
  }

  #current(token: Token | undefined, lifetime: number): Token {
    if (token && token.expires > this.#now() + 1_000) return token;
    return { token: randomBytes(32).toString('base64url'), expires: this.#now() + lifetime };
  }
}
