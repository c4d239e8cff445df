import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

/** A request, or a subrequest of a composite one, as the connector sent it. */
export interface Sent {
  readonly method: string;
  /** Without the version's prefix; the query of `q`, `ids` decoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Said {
  readonly status?: number;
  readonly body?: unknown;
  /** Instead of a body of JSON. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Reads the request and ends the connection without an answer. */
  readonly lost?: boolean;
  /** Reads the request and says nothing. */
  readonly silent?: boolean;
}

const Composite = z.object({
  compositeRequest: z.array(
    z.object({
      method: z.string(),
      url: z.string(),
      body: z.unknown().optional(),
      httpHeaders: z.record(z.string(), z.string()).default({}),
    }),
  ),
});

const PREFIX = '/services/data/v62.0';
const pathOf = (url: string): string => decodeURIComponent(url.replace(PREFIX, ''));

/**
 * A server that gives scripted answers. `login` and `whole` see whole requests and answer them unless they return undefined;
 * `part` answers the subrequests of a composite request.
 */
export const scriptedSalesforce = async () => {
  const script: {
    login: (sent: Sent) => Said;
    whole: (sent: Sent) => Said | undefined;
    part: (sent: Sent) => Said;
  } = {
    login: () => ({
      body: {
        access_token: `token-${logins.length}`,
        instance_url: url,
        id: `${url}/id/00Dxx/005HUB00000user`,
      },
    }),
    whole: () => undefined,
    part: () => ({ status: 500, body: [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'not scripted' }] }),
  };
  const logins: Sent[] = [];
  const requests: Sent[] = [];
  const answer = (sent: Sent): Said => {
    if (sent.path === '/services/oauth2/token') {
      logins.push(sent);
      return script.login(sent);
    }
    if (sent.path === '/services/data' && sent.headers['authorization'] === undefined) return { body: [] };
    requests.push(sent);
    const whole = script.whole(sent);
    if (whole !== undefined || sent.path !== '/composite') return whole ?? script.part(sent);
    const { compositeRequest } = Composite.parse(sent.body);
    const compositeResponse = compositeRequest.map(({ method, url: address, body, httpHeaders }) => {
      const said = script.part({ method, path: pathOf(address), body, headers: httpHeaders });
      return { httpStatusCode: said.status ?? 200, body: said.body, httpHeaders: {} };
    });
    return { body: { compositeResponse } };
  };
  const server = createServer(async (request, response) => {
    const raw = await text(request);
    const type = request.headers['content-type'];
    const said = answer({
      method: request.method ?? '',
      path: pathOf(request.url ?? ''),
      body:
        type === 'application/json'
          ? JSON.parse(raw)
          : type === 'text/csv'
            ? raw
            : Object.fromEntries(new URLSearchParams(raw)),
      headers: request.headers,
    });
    if (said.silent) return;
    if (said.lost) {
      request.socket.destroy();
      return;
    }
    response.writeHead(said.status ?? 200, {
      'content-type': said.text === undefined ? 'application/json;charset=UTF-8' : 'text/html',
      'sforce-limit-info': 'api-usage=25/15000',
      ...said.headers,
    });
    response.end(said.text ?? JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    script,
    logins,
    requests,
    stop: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
};

export type ScriptedSalesforce = Awaited<ReturnType<typeof scriptedSalesforce>>;

/** The rows of a collection that was sent. */
export const rowsOf = ({ body }: Sent): Record<string, unknown>[] =>
  z.object({ allOrNone: z.literal(false), records: z.array(z.record(z.string(), z.unknown())) }).parse(body)
    .records;

/** Accepts every row. */
export const accept = (sent: Sent): Said => ({
  body: rowsOf(sent).map((row, at) => ({
    ...{ id: row['id'] ?? `003${String(at).padStart(12, '0')}AAA`, success: true, errors: [] },
  })),
});

const field = (name: string, type: string, more: object = {}) => ({
  ...{ name, type, createable: true, updateable: true, nillable: true },
  ...more,
});

/** A contact as Salesforce describes it, in short. */
const contactFields = [
  field('Id', 'id', { createable: false, updateable: false, idLookup: true }),
  field('Hub_Id__c', 'string', { length: 64, externalId: true, idLookup: true }),
  field('LastName', 'string', { length: 80, nillable: false }),
  field('Email', 'email', { length: 80, idLookup: true }),
  field('Private_Email__c', 'email'),
  field('Secret_Email__c', 'email', { filterable: false }),
  ...[
    field('HomePhone', 'phone'),
    field('MobilePhone', 'phone'),
    field('Phone', 'phone'),
    field('Fax', 'phone'),
  ],
  field('Rating', 'picklist', {
    restrictedPicklist: true,
    picklistValues: [{ value: 'Hot' }, { value: 'Cold', active: false }],
  }),
  field('LeadSource', 'picklist'),
  field('AccountId', 'reference'),
  field('Score__c', 'double'),
  ...['CreatedDate', 'CreatedById', 'SystemModstamp', 'IsDeleted', 'MasterRecordId'].map((name) =>
    field(name, name.endsWith('Id') ? 'reference' : 'datetime', { createable: false, updateable: false }),
  ),
];

/** A task whose key is no external id, and whose subtype cannot be changed. */
const taskFields = [
  ...[
    field('Id', 'id'),
    field('Hub_Id__c', 'string'),
    field('Subject', 'combobox'),
    field('WhoId', 'reference'),
  ],
  field('TaskSubtype', 'picklist', { updateable: false }),
];

/** Answers descriptions; other parts go to `part`. */
export const described =
  (part: (sent: Sent) => Said) =>
  (sent: Sent): Said => {
    const [, object] = /^\/sobjects\/(\w+)\/describe$/u.exec(sent.path) ?? [];
    if (object === undefined) return part(sent);
    const fields = { Contact: contactFields, Lead: contactFields, Task: taskFields }[object];
    return fields === undefined
      ? { status: 404, body: [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }] }
      : { body: { fields } };
  };
