import { createSign } from 'node:crypto';
import { Connection } from 'jsforce/lib/core.js';
import * as z from 'zod';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { readTime } from '../../../../core/formats/payload.ts';
import { type Credentials, wrongSecret } from './credentials.ts';
import { exchange, VERSION } from './http.ts';

/** The result of a login; the address of the org belongs to it. */
export const Token = z.object({
  accessToken: z.string(),
  instanceUrl: z.string(),
  /** The user whom the hub is in Salesforce; empty if the answer did not say it. */
  userId: z.string().default(''),
  /** The org, likewise. */
  orgId: z.string().default(''),
});
export type Token = z.infer<typeof Token>;

const Granted = z.looseObject({
  access_token: z.string(),
  instance_url: z.string(),
  id: z.string().nullish(),
});
const Denied = z.looseObject({ error: z.string(), error_description: z.string().nullish() });

/** Logs in. Resolves with a `Token` as JSON. Rejects with a `CrmFault` of the connection. */
export const login = async (credentials: Credentials, signal: AbortSignal): Promise<string> => {
  // With a client id the connection would refresh its session by itself, without a limit.
  const connection = new Connection({ loginUrl: credentials.loginUrl, version: VERSION });
  const answer = await exchange(
    connection,
    {
      method: 'POST',
      url: `${credentials.loginUrl}/services/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(await grantOf(credentials, connection, signal)).toString(),
    },
    signal,
  );
  const granted = Granted.safeParse(answer.body);
  if (answer.status < 300 && granted.success) {
    const { access_token: accessToken, instance_url: instanceUrl, id } = granted.data;
    // The identity URL: https://login.salesforce.com/id/<org>/<user>.
    const [userId = '', orgId = ''] = (id ?? '').split('/').toReversed();
    return JSON.stringify({ accessToken, instanceUrl, userId, orgId } satisfies Token);
  }
  throw denied(answer.status, Denied.safeParse(answer.body).data);
};

const grantOf = async (
  credentials: Credentials,
  connection: Connection,
  signal: AbortSignal,
): Promise<Record<string, string>> => {
  const { kind, clientId } = credentials;
  if (kind === 'client-credentials')
    return {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: credentials.clientSecret,
    };
  if (kind === 'refresh-token')
    return {
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: credentials.refreshToken,
      ...(credentials.clientSecret !== undefined && { client_secret: credentials.clientSecret }),
    };
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertion(credentials, await timeAt(credentials.loginUrl, connection, signal)),
  };
};

/** Salesforce's own time in epoch milliseconds: it accepts an assertion for three minutes by its clock, not by ours. */
const timeAt = async (loginUrl: string, connection: Connection, signal: AbortSignal): Promise<number> => {
  const { headers } = await exchange(connection, { method: 'GET', url: `${loginUrl}/services/data` }, signal);
  const time = readTime(headers['date']);
  if (time === undefined) throw denied(502, undefined);
  return Date.parse(time);
};

const VALID_SECONDS = 120;

const assertion = (
  { clientId, username, privateKey, loginUrl }: Extract<Credentials, { kind: 'jwt-bearer' }>,
  now: number,
): string => {
  const claims = {
    iss: clientId,
    sub: username,
    aud: audience(loginUrl),
    exp: Math.floor(now / 1000) + VALID_SECONDS,
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  } catch (cause) {
    throw wrongSecret(['privateKey'], cause);
  }
};

/** The audience names Salesforce's login, not the org, except where the login has an address of its own. */
const audience = (loginUrl: string): string => {
  const { hostname, origin } = new URL(loginUrl);
  if (!hostname.endsWith('.my.salesforce.com')) return origin;
  return hostname.endsWith('.sandbox.my.salesforce.com')
    ? 'https://test.salesforce.com'
    : 'https://login.salesforce.com';
};

const advice: Readonly<Record<string, string>> = {
  invalid_grant:
    'Is the user active, is the app approved for it, and is the refresh token or the key still valid?',
  inactive_user: 'Activate the integration user in Salesforce.',
  invalid_client: 'Correct clientSecret in the secret.',
  invalid_client_id: 'Correct clientId in the secret.',
  invalid_client_credentials: 'Correct clientSecret in the secret.',
  unsupported_grant_type:
    'Allow this flow in the connected app. For client credentials loginUrl must be the My Domain of the org.',
};

/** Refusals of the login by which nobody is to blame. */
const passing: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable', 'unknown_error']);

const denied = (status: number, refusal: z.infer<typeof Denied> | undefined): CrmFault => {
  const name = refusal?.error ?? '';
  if (name === 'rate_limit_exceeded' || status === 429)
    return new CrmFault(
      'salesforce-rate-limit-exceeded',
      'Salesforce accepts no more logins for some minutes.',
      {
        ...{ scope: 'connection', why: 'throttled', afterSeconds: 300 },
      },
    );
  if (refusal === undefined || status >= 500 || passing.has(name))
    return new CrmFault(
      'unavailable-crm',
      `The login of Salesforce answered ${status}. If it lasts, check loginUrl in the secret, and https://status.salesforce.com.`,
      { scope: 'connection', why: 'down' },
    );
  return new CrmFault(
    `salesforce-${name.replaceAll('_', '-')}`,
    `Salesforce refused the login with ${name} (${(refusal.error_description ?? '').slice(0, 200)}). ${advice[name] ?? 'Check the secret of Salesforce and its connected app.'}`,
    { scope: 'connection', why: 'setup' },
  );
};
