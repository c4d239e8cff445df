import { Client } from '@hubspot/api-client/lib/src/client.js';
import * as z from 'zod';
import type { SharedToken } from '../../../core/crm/connector.ts';
import { memberOf } from '../../../core/formats/payload.ts';
import { callFaultOf, down, Refusal, setupFault } from './faults.ts';
import { type Access, encoded, exchange, VERSION } from './request.ts';

const Key = z.string().trim().min(1);
const BaseUrl = z.url().optional();
const PrivateApp = z.object({ accessToken: Key, baseUrl: BaseUrl });
const OAuthApp = z.object({ clientId: Key, clientSecret: Key, refreshToken: Key, baseUrl: BaseUrl });
type OAuthApp = z.infer<typeof OAuthApp>;

export interface Login extends Access {
  /** Asks HubSpot what the token may do. The token is in the body, which nobody logs. */
  readonly tokenInfo: () => { readonly path: string; readonly body: object };
  readonly isPrivate: boolean;
}

/** Checks the stored secret, and gets a token where the app uses OAuth. Rejects with a fault of the connection. */
export const logIn = async (raw: unknown, token: SharedToken, signal: AbortSignal): Promise<Login> =>
  ['clientId', 'clientSecret', 'refreshToken'].some((name) => memberOf(raw, name) !== undefined)
    ? byRefreshToken(checked(OAuthApp, raw), token, signal)
    : byAccessToken(checked(PrivateApp, raw));

const checked = <Value>(schema: z.ZodType<Value>, raw: unknown): Value => {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const keys = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))].filter(
    (key) => key !== '',
  );
  throw setupFault(
    'credentials',
    'connection',
    `The secret of HubSpot needs a value for ${keys.length > 0 ? keys.map((key) => `\`${key}\``).join(', ') : '`accessToken`'}. Store { accessToken } of a private app, or { clientId, clientSecret, refreshToken } of an app that uses OAuth.`,
  );
};

const clientOf = (accessToken: string, baseUrl: string | undefined): Client =>
  new Client({
    accessToken,
    ...(baseUrl !== undefined && { basePath: baseUrl.replace(/\/$/u, '') }),
    numberOfApiCallRetries: 0,
  });

const byAccessToken = ({ accessToken, baseUrl }: z.infer<typeof PrivateApp>): Login => {
  const client = clientOf(accessToken, baseUrl);
  return {
    client: () => client,
    isPrivate: true,
    tokenInfo: () => ({
      path: '/oauth/v2/private-apps/get/access-token-info',
      body: { tokenKey: accessToken },
    }),
  };
};

const byRefreshToken = async (app: OAuthApp, token: SharedToken, signal: AbortSignal): Promise<Login> => {
  const opened = async (stale: string | undefined, until: AbortSignal) => {
    const accessToken = await token.get(stale, () => refresh(app, until));
    return { accessToken, client: clientOf(accessToken, app.baseUrl) };
  };
  let current = await opened(undefined, signal);
  let renewing: Promise<void> | undefined;
  const renew = async (until: AbortSignal): Promise<void> => {
    current = await opened(current.accessToken, until);
  };
  return {
    client: () => current.client,
    isPrivate: false,
    tokenInfo: () => ({
      path: `/oauth/${VERSION}/token/introspect`,
      body: new URLSearchParams({
        client_id: app.clientId,
        client_secret: app.clientSecret,
        token: current.accessToken,
        token_type_hint: 'access_token',
      }),
    }),
    // Requests of one session that are refused together renew the token once.
    renew: async (stale, until) => {
      if (current.client !== stale) return;
      renewing ??= renew(until).finally(() => {
        renewing = undefined;
      });
      await renewing;
    },
  };
};

const Token = z.looseObject({ access_token: z.string().min(1) });

const refresh = async (app: OAuthApp, signal: AbortSignal): Promise<string> => {
  const { clientId, clientSecret, refreshToken } = app;
  const { status, headers, body } = await exchange(
    clientOf('', app.baseUrl),
    {
      method: 'POST',
      path: `/oauth/${VERSION}/token`,
      authType: 'none',
      ...encoded(
        new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: clientId,
          client_secret: clientSecret,
          refresh_token: refreshToken,
        }),
      ),
    },
    signal,
  );
  const token = Token.safeParse(body);
  if (status < 300 && token.success) return token.data.access_token;
  const refusal = Refusal.safeParse(body);
  if (status < 400 || !refusal.success) throw down(`The login of HubSpot answered ${status}.`);
  if (status >= 429)
    throw callFaultOf(status, headers, refusal.data, undefined) ?? down(`HubSpot answered ${status}.`);
  throw refused(refusal.data);
};

const refused = ({ status = '', category, message }: Refusal): Error => {
  const code = [status, category ?? '', message].join(' ').toLowerCase().replaceAll('_', ' ');
  const key = code.includes('refresh token')
    ? '`refreshToken`'
    : code.includes('client secret')
      ? '`clientSecret`'
      : code.includes('client id')
        ? '`clientId`'
        : '`clientId`, `clientSecret` or `refreshToken`';
  return setupFault(
    'login',
    'connection',
    `HubSpot refuses the login of the hub: ${key} of the secret is wrong, or the app was removed from the account. Install the app again and store what HubSpot gives.`,
  );
};
