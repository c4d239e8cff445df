import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

/** A request, or an item of a batch, as the connector sent it. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Said {
  readonly status?: number;
  readonly body?: unknown;
  /** Instead of a body of JSON. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The batch ends before this item. */
  readonly unserviced?: boolean;
}

const Batch = z.object({
  rest_requests: z.array(
    z.object({ id: z.string(), method: z.string(), url: z.string(), body: z.string().optional() }),
  ),
});

const sentOf = (method: string, url: string, body: string, headers: Sent['headers']): Sent => {
  const { pathname, searchParams } = new URL(url, 'http://instance');
  const isJson = /^[{[]/u.test(body);
  return {
    ...{ method, path: pathname, query: searchParams, headers },
    ...(body !== '' && { body: isJson ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body)) }),
  };
};

/** The answers to what a session asks about tables: `customer_contact` and `interaction`, which has a link to the former. */
const describes = ({ path, query }: Sent, added: readonly string[]): Said | undefined => {
  const asked = query.get('sysparm_query') ?? '';
  const tables = ['customer_contact', 'interaction'].filter((name) => asked.includes(name));
  const entry = (name: string, element: string, more: object = {}) => ({
    ...{ name, element, internal_type: 'string', max_length: '100', mandatory: 'false', read_only: 'false' },
    ...{ unique: 'false', choice: '0', reference: '', virtual: 'false', default_value: '' },
    ...{ column_label: element, ...more },
  });
  if (path.endsWith('/sys_user')) return { body: { result: [{ sys_id: 'u', user_name: 'hub' }] } };
  if (path.endsWith('/sys_db_object')) return { body: { result: tables.map((name) => ({ name })) } };
  if (path.endsWith('/sys_choice')) return { body: { result: [] } };
  if (path.endsWith('/sys_dictionary'))
    return {
      body: {
        result: tables.flatMap((name) => [
          entry(name, 'u_hub_id', { unique: 'true' }),
          entry(name, 'last_name', { column_label: 'Last name' }),
          entry(name, 'email', { internal_type: 'email', unique: 'true' }),
          entry(name, 'phone', { internal_type: 'ph_number' }),
          ...added.map((field) => entry(name, field)),
          entry(name, 'opened_at', { internal_type: 'glide_date_time' }),
          ...(name === 'interaction'
            ? [entry(name, 'contact', { internal_type: 'reference', reference: 'customer_contact' })]
            : []),
        ]),
      },
    };
  return query.get('sysparm_limit') === '1' ? { body: { result: [] } } : undefined;
};

/**
 * A server that gives scripted answers. `login` and `whole` see whole requests; `item` answers the items of a batch. It
 * describes its tables by itself, which `requests` and `items` leave out.
 */
export const scriptedServicenow = async () => {
  const script: {
    login: (sent: Sent) => Said;
    whole: (sent: Sent) => Said | undefined;
    item: (sent: Sent) => Said;
    /** Fields that an administrator has added to the tables. */
    added: readonly string[];
  } = {
    login: () => ({ body: { access_token: `token-${logins.length}`, token_type: 'Bearer' } }),
    whole: () => undefined,
    item: () => ({ body: { result: [] } }),
    added: [],
  };
  const logins: Sent[] = [];
  const requests: Sent[] = [];
  const items: Sent[] = [];
  const batch = (sent: Sent): Said => {
    const { rest_requests: parts } = Batch.parse(sent.body);
    const said = parts.map(({ id, method, url: address, body = '' }) => {
      const item = sentOf(method, address, Buffer.from(body, 'base64').toString(), {});
      const description = describes(item, script.added);
      if (description === undefined) items.push(item);
      return { id, said: description ?? script.item(item) };
    });
    return {
      body: {
        batch_request_id: '1',
        serviced_requests: said
          .filter((one) => !one.said.unserviced)
          .map(({ id, said: { status = 200, body, text: page, headers = {} } }) => ({
            ...{ id, status_code: status, status_text: '', execution_time: 5 },
            body: Buffer.from(page ?? (body === undefined ? '' : JSON.stringify(body))).toString('base64'),
            headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
          })),
        unserviced_requests: said.filter((one) => one.said.unserviced).map(({ id }) => id),
      },
    };
  };
  const answer = (sent: Sent): Said => {
    if (sent.path === '/oauth_token.do') {
      logins.push(sent);
      return script.login(sent);
    }
    const isDescribing = JSON.stringify(sent.body ?? '').includes('sys_dictionary');
    if (!isDescribing) requests.push(sent);
    return script.whole(sent) ?? (sent.path.endsWith('/batch') ? batch(sent) : script.item(sent));
  };
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const said = answer(sentOf(request.method ?? '', request.url ?? '', body, request.headers));
    response.writeHead(said.status ?? 200, {
      'content-type': said.text === undefined ? 'application/json;charset=UTF-8' : 'text/html;charset=UTF-8',
      ...said.headers,
    });
    response.end(said.text ?? JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, script, logins, requests, items },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
};
