import { DatabaseSync } from 'node:sqlite';
import 'jsforce/lib/api/bulk2.js';
import { Connection } from 'jsforce/lib/core.js';
import {
  type ChangeEvent,
  type SalesforceOptions,
  salesforceSandbox,
} from '../../infra/sandbox/salesforce/server.ts';

const NOW = Date.parse('2026-05-04T10:00:00Z');

/** A text that can be an external id. */
const keyField = (object: string) => ({
  FullName: `${object}.Hub_Id__c`,
  Metadata: { type: 'Text', label: 'Hub Id', length: 64, externalId: true, unique: true },
});

/** A Salesforce org on this machine, a foreign client that is logged in, and the change events so far. */
export const openOrg = async (options: SalesforceOptions = {}) => {
  const events: ChangeEvent[] = [];
  const sandbox = await salesforceSandbox(new DatabaseSync(':memory:'), {
    now: () => NOW,
    report: (event) => events.push(event),
    customFields: [keyField('Contact'), keyField('Activity')],
    ...options,
  });
  const conn = new Connection({ loginUrl: sandbox.url, version: '62.0', callOptions: { client: 'acme' } });
  const login = async () => {
    const { clientId = '', clientSecret = '' } = sandbox.secret;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    const answer = await fetch(`${sandbox.url}/services/oauth2/token`, { method: 'POST', body });
    const { access_token } = (await answer.json()) as { access_token: string };
    Object.assign(conn, { accessToken: access_token, instanceUrl: sandbox.url });
    return access_token;
  };
  await login();
  /** A request as it stands, and what comes back. */
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${sandbox.url}/services/data/v62.0${path}`, {
      method,
      headers: {
        authorization: `Bearer ${conn.accessToken}`,
        'content-type': typeof body === 'string' ? 'text/csv' : 'application/json',
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = text !== '' && answer.headers.get('content-type')?.includes('json');
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  };
  return { ...sandbox, events, conn, send, login };
};

export type OpenOrg = Awaited<ReturnType<typeof openOrg>>;
