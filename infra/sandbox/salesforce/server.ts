import type { DatabaseSync } from 'node:sqlite';
import { Records } from '../protocol/records.ts';
import { type Listening, type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';
import { answerApi } from './operations.ts';
import { errorAnswer, Login, type SalesforceFields, standardFields } from './schema.ts';

export const salesforceCredentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' } as const;

interface SalesforceFault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface SalesforceOptions {
  readonly port?: number | undefined;
  /** The field by which records are upserted; one of `customFields`. */
  readonly externalId: string;
  /** Fields that the organisation has added. */
  readonly customFields: SalesforceFields;
}

export interface SalesforceSandbox extends Listening {
  readonly records: Records;
  /** The number of API requests so far, without logins. */
  readonly calls: () => number;
  /** The client names in the requests' `Sforce-Call-Options`. */
  readonly clients: ReadonlySet<string>;
  /** Answers every request with a fault; undefined ends it. */
  fail(fault: SalesforceFault | undefined): void;
  /** Ends every session: the next call is answered with INVALID_SESSION_ID. */
  expireSessions(): void;
}

/** Salesforce as jsforce sees it: logins, composite upserts by external id, its limits and its errors. */
export const salesforceSandbox = async (
  db: DatabaseSync,
  { port = 0, externalId, customFields }: SalesforceOptions,
): Promise<SalesforceSandbox> => {
  const objects = Object.fromEntries(
    Object.entries(standardFields).map(([object, fields]) => [
      object,
      { ...fields, ...customFields[object] },
    ]),
  );
  const records = new Records(db, 'salesforce');
  const sessions = new Set<string>();
  const clients = new Set<string>();
  const state: { fault?: SalesforceFault | undefined; calls: number; logins: number } = {
    calls: 0,
    logins: 0,
  };
  const login = (request: SandboxRequest): SandboxAnswer => {
    if (!hasCredentials(request))
      return {
        status: 400,
        body: { error: 'invalid_client', error_description: 'invalid client credentials' },
      };
    const token = `00D000000000001!${++state.logins}`;
    sessions.add(token);
    return { status: 200, body: session(token, `http://${request.headers['host']}`) };
  };
  const answer = (request: SandboxRequest): SandboxAnswer => {
    if (request.path === '/') return { status: 200, body: records.page('Salesforce sandbox') };
    if (state.fault) return errorAnswer(state.fault.status, state.fault.code, state.fault.message);
    if (request.path === '/services/oauth2/token') return login(request);
    const token = /^(?:Bearer|OAuth) (.+)$/u.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    if (!sessions.has(token)) return errorAnswer(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    state.calls++;
    const [, client] = /client=([^,;]+)/u.exec(request.headers['sforce-call-options'] ?? '') ?? [];
    if (client !== undefined) clients.add(client);
    const headers = { 'sforce-limit-info': `api-usage=${state.calls}/100000` };
    return { ...answerApi({ records, objects, externalId }, request), headers };
  };
  const listening = await serve(answer, port);
  return {
    ...listening,
    records,
    calls: () => state.calls,
    clients,
    fail: (fault) => {
      state.fault = fault;
    },
    expireSessions: () => sessions.clear(),
  };
};

const hasCredentials = ({ body }: SandboxRequest): boolean => {
  const form = Login.safeParse(Object.fromEntries(new URLSearchParams(body)));
  return (
    form.success &&
    form.data.client_id === salesforceCredentials.clientId &&
    form.data.client_secret === salesforceCredentials.clientSecret
  );
};

const session = (token: string, url: string): object => ({
  access_token: token,
  instance_url: url,
  id: `${url}/id/00D000000000001/005000000000001`,
  token_type: 'Bearer',
  issued_at: '0',
  signature: '',
});
