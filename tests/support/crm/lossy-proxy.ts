import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Stands between the hub and a CRM on this machine, sees every request, and loses answers on order. */
export interface LossyProxy {
  readonly url: string;
  /** The requests so far, as `METHOD path`, logins included. */
  readonly requests: readonly string[];
  /** Ends the connection of the n-th request from now on after the CRM has answered it, from 1; logins do not count. */
  lose(n: number): void;
  /** Whether the answer that was to be lost is lost. */
  readonly hasLost: () => boolean;
  stop(): Promise<void>;
}

const LOGIN = /\/oauth|\/services\/oauth2\/|^\/services\/data$/u;

/** `target`: the address of the CRM, which answers with the address of the proxy wherever it names its own. */
export const openLossyProxy = async (target: string): Promise<LossyProxy> => {
  const requests: string[] = [];
  let left = 0;
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '/' } = request;
    const path = url.split('?')[0] ?? '';
    requests.push(`${method} ${path}`);
    try {
      const body = await buffer(request);
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
      const answer = await fetch(`${target}${url}`, {
        ...{
          method,
          headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        },
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      });
      const text = (await answer.text()).replaceAll(target, own);
      if (!LOGIN.test(path) && left > 0 && --left === 0) {
        request.socket.destroy();
        return;
      }
      const {
        'content-length': ____,
        'content-encoding': _____,
        ...shown
      } = Object.fromEntries(answer.headers);
      response.writeHead(answer.status, shown).end(text);
    } catch {
      request.socket.destroy();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const own = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    ...{ url: own, requests },
    lose(n) {
      left = n;
    },
    hasLost: () => left === 0,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
