// https://www.servicenow.com/docs/bundle/zurich-platform-security/page/integrate/authentication/concept/oauth-inbound-client-creds.html

import * as z from 'zod';
import { CrmFault } from '../../../../core/crm/fault.ts';
import type { Credentials } from './credentials.ts';
import { odd, throttled } from './faults.ts';
import { type Answer, exchange } from './http.ts';

const Granted = z.looseObject({ access_token: z.string().min(1) });
const Denied = z.looseObject({ error: z.string() });

/** Logs in with client credentials. Resolves with a token. Rejects with a `CrmFault` of the connection. */
export const login = async (
  { instanceUrl, clientId, clientSecret }: Extract<Credentials, { kind: 'client-credentials' }>,
  signal: AbortSignal,
): Promise<string> => {
  const answer = await exchange(
    `${instanceUrl}/oauth_token.do`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }).toString(),
    },
    signal,
  );
  const granted = Granted.safeParse(answer.body);
  if (answer.status < 300 && granted.success) return granted.data.access_token;
  throw denied(answer);
};

const denied = (answer: Answer): CrmFault => {
  const refusal = Denied.safeParse(answer.body).data;
  if (answer.status === 429) return throttled(answer);
  if (answer.status >= 500 || answer.status < 400 || refusal === undefined) return odd(answer);
  return new CrmFault(
    'servicenow-login',
    `ServiceNow refused the login with ${/^[a-z_]{1,40}$/u.test(refusal.error) ? refusal.error : answer.status}. Check clientId and clientSecret in the secret; that the OAuth application is active and has an application user; and that the system property glide.oauth.inbound.client.credential.grant_type.enabled is true, which turns client credentials on.`,
    { scope: 'connection', why: 'setup' },
  );
};
