import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach } from 'vitest';
import { httpConnector } from '../../../connectors/crm/http/index.ts';
import { type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import { HttpSection } from '../../../core/crm/mapping/http.ts';

export interface Seen {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | 'lost';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A CRM that answers by a script. */
export const openHttp = async (
  section: object,
  reply: (seen: Seen) => Reply,
  secret: object = { token: 'a-secret-token' },
): Promise<{ session: CrmSession; seen: Seen[] }> => {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    const one = {
      line: `${request.method} ${request.url}`,
      headers: request.headers,
      body: Buffer.concat(parts).toString(),
    };
    seen.push(one);
    const answer = reply(one);
    if (answer === 'lost') return void request.socket.destroy();
    const { status = 200, headers = {}, body } = answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  );
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const http = HttpSection.parse({ host: `http://127.0.0.1:${port}`, ...section });
  const connector = httpConnector({
    ...{ crm: 'till', title: 'Till', section: async () => http },
    world: { fetch, now: () => 1_700_000_000_000, isLocal: true },
  });
  return { session: await connector.open(secret, unsharedToken, new AbortController().signal), seen };
};
