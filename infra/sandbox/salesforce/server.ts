import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { Records } from '../protocol/records.ts';
import { type Listening, type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';

/** Fields by object, with the length of their longest text; undefined where it is not limited. */
type SalesforceFields = Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;

const standardFields: SalesforceFields = {
  Contact: {
    FirstName: 40,
    LastName: 80,
    Email: 80,
    Phone: 40,
    LeadSource: 255,
    Rating: 40,
  },
  Task: {
    Subject: 255,
    Description: 32_000,
    ActivityDate: undefined,
    TaskSubtype: 40,
    Status: 40,
    WhoId: 18,
  },
};
const prefixes: Readonly<Record<string, string>> = { Contact: '003', Task: '00T' };

export const salesforceCredentials = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' } as const;

interface Fault {
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
  /** API requests so far, logins aside. */
  readonly calls: () => number;
  /** The client names that requests gave in `Sforce-Call-Options`. */
  readonly clients: ReadonlySet<string>;
  /** Answers every request with this fault until it is lifted. */
  fail(fault: Fault | undefined): void;
  /** Ends every session: the next call is answered with INVALID_SESSION_ID. */
  expireSessions(): void;
}

const Login = z.object({
  grant_type: z.enum(['client_credentials', 'password', 'urn:ietf:params:oauth:grant-type:jwt-bearer']),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
});
const Collection = z.object({
  allOrNone: z.boolean().default(false),
  records: z.array(z.looseObject({ attributes: z.object({ type: z.string() }) })).max(200),
});
const Composite = z.object({
  compositeRequest: z
    .array(
      z.object({
        method: z.string(),
        url: z.string(),
        referenceId: z.string(),
        body: z.unknown().optional(),
      }),
    )
    .max(25),
});

const errors = (status: number, errorCode: string, message: string): SandboxAnswer => ({
  status,
  body: [{ message, errorCode }],
});

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
  const state: { fault?: Fault | undefined; calls: number; logins: number } = { calls: 0, logins: 0 };
  const idOf = (object: string, serial: number): string =>
    `${prefixes[object] ?? '000'}${serial.toString(36).toUpperCase().padStart(12, '0')}AAA`;

  const login = ({ body }: SandboxRequest, base: string): SandboxAnswer => {
    const form = Login.safeParse(Object.fromEntries(new URLSearchParams(body)));
    const known =
      form.success &&
      form.data.client_id === salesforceCredentials.clientId &&
      form.data.client_secret === salesforceCredentials.clientSecret;
    if (!known)
      return {
        status: 400,
        body: { error: 'invalid_client', error_description: 'invalid client credentials' },
      };
    const access_token = `00D000000000001!${++state.logins}`;
    sessions.add(access_token);
    return {
      status: 200,
      body: {
        access_token,
        instance_url: base,
        id: `${base}/id/00D000000000001/005000000000001`,
        token_type: 'Bearer',
        issued_at: '0',
        signature: '',
      },
    };
  };

  const upsertRow = (object: string, keyField: string, raw: Record<string, unknown>): object => {
    const { attributes: _, ...fields } = raw;
    const known = objects[object] ?? {};
    const wrong = (statusCode: string, message: string, names: readonly string[]): object => ({
      success: false,
      errors: [{ statusCode, message, fields: names }],
    });
    const key = fields[keyField];
    if (typeof key !== 'string' || key === '')
      return wrong('MISSING_ARGUMENT', `${keyField} not specified`, []);
    const unknown = Object.keys(fields).find((name) => !(name in known));
    if (unknown !== undefined)
      return wrong('INVALID_FIELD', `No such column '${unknown}' on sobject of type ${object}`, [unknown]);
    const long = Object.entries(fields).find(
      ([name, value]) =>
        typeof value === 'string' && value.length > (known[name] ?? Number.POSITIVE_INFINITY),
    );
    if (long) return wrong('STRING_TOO_LONG', `${long[0]}: data value too large`, [long[0]]);
    if (object === 'Contact' && !fields['LastName'] && records.byKey(object, key) === undefined)
      return wrong('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', ['LastName']);
    if (fields['WhoId'] !== undefined && records.byId('Contact', String(fields['WhoId'])) === undefined)
      return wrong('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', ['WhoId']);
    const { record, created } = records.upsert(object, key, fields, (serial) => idOf(object, serial));
    return { id: record.id, success: true, errors: [], created };
  };

  const collection = (path: string, body: unknown): SandboxAnswer => {
    const [, object = '', keyField = ''] = /\/composite\/sobjects\/(\w+)\/(\w+)$/u.exec(path) ?? [];
    if (objects[object] === undefined)
      return errors(404, 'NOT_FOUND', 'The requested resource does not exist');
    const parsed = Collection.safeParse(body);
    if (!parsed.success)
      return errors(400, 'JSON_PARSER_ERROR', 'a collection takes up to 200 records, each with its type');
    return { status: 200, body: parsed.data.records.map((record) => upsertRow(object, keyField, record)) };
  };

  const removal = (path: string): SandboxAnswer => {
    const [, object = '', keyField = '', key = ''] = /\/sobjects\/(\w+)\/(\w+)\/([^/]+)$/u.exec(path) ?? [];
    if (objects[object] === undefined || !(keyField in (objects[object] ?? {})))
      return errors(404, 'NOT_FOUND', 'The requested resource does not exist');
    return records.remove(object, decodeURIComponent(key))
      ? { status: 204, body: null }
      : errors(404, 'NOT_FOUND', 'The requested resource does not exist');
  };

  const answer = (request: SandboxRequest): SandboxAnswer => {
    if (request.path === '/') return { status: 200, body: records.page('Salesforce sandbox') };
    if (state.fault) return errors(state.fault.status, state.fault.code, state.fault.message);
    const base = `http://${request.headers['host']}`;
    if (request.path === '/services/oauth2/token') return login(request, base);
    const token = /^(?:Bearer|OAuth) (.+)$/u.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    if (!sessions.has(token)) return errors(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    state.calls++;
    const [, client] = /client=([^,;]+)/u.exec(request.headers['sforce-call-options'] ?? '') ?? [];
    if (client !== undefined) clients.add(client);
    const limits = { 'sforce-limit-info': `api-usage=${state.calls}/100000` };
    const describe = /\/sobjects\/(\w+)\/describe\/?$/u.exec(request.path);
    if (describe) {
      const fields = objects[describe[1] ?? ''];
      if (fields === undefined) return errors(404, 'NOT_FOUND', 'The requested resource does not exist');
      return {
        status: 200,
        headers: limits,
        body: {
          name: describe[1],
          fields: Object.entries(fields).map(([name, length]) => ({
            name,
            length: length ?? 0,
            updateable: true,
            externalId: name === externalId,
            unique: name === externalId,
            nillable: name !== 'LastName',
          })),
        },
      };
    }
    if (request.method === 'POST' && /\/services\/data\/v[\d.]+\/composite\/?$/u.test(request.path)) {
      const parsed = Composite.safeParse(JSON.parse(request.body));
      if (!parsed.success) return errors(400, 'JSON_PARSER_ERROR', 'a composite takes up to 25 subrequests');
      if (parsed.data.compositeRequest.filter(({ url }) => url.includes('/composite/sobjects')).length > 5)
        return errors(400, 'LIMIT_EXCEEDED', 'at most 5 collections in a composite');
      const compositeResponse = parsed.data.compositeRequest.map(({ method, url, body, referenceId }) => {
        const { status, body: inner } = method === 'DELETE' ? removal(url) : collection(url, body);
        return { body: inner, httpHeaders: {}, httpStatusCode: status, referenceId };
      });
      return { status: 200, headers: limits, body: { compositeResponse } };
    }
    if (request.method === 'PATCH')
      return { ...collection(request.path, JSON.parse(request.body)), headers: limits };
    return errors(404, 'NOT_FOUND', 'The requested resource does not exist');
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
