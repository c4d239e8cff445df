import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SandboxRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SandboxAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Closes the connection in place of an answer. */
  readonly hangUp?: boolean;
}

export interface Listening {
  readonly url: string;
  stop(): Promise<void>;
}

const BODY_LIMIT = 20 * 1024 * 1024;

/** The message says which port is taken. */
export class PortTaken extends Error {
  constructor(port: number, cause: unknown) {
    super(
      `Another process listens on port ${port} of 127.0.0.1. Choose another port, or stop that process.`,
      { cause },
    );
  }
}

/**
 * A small HTTP server on the loopback. A body that is text is sent as it is (HTML), anything else as JSON. Rejects with
 * `PortTaken`.
 */
export const serve = (
  answer: (request: SandboxRequest) => SandboxAnswer | Promise<SandboxAnswer>,
  port = 0,
): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      void read(request)
        .then(answer, (): SandboxAnswer => ({ status: 413, body: 'Too large' }))
        .then(({ status, headers = {}, body, hangUp }) => {
          if (hangUp) {
            request.socket.destroy();
            return;
          }
          const text = typeof body === 'string';
          response.writeHead(status, {
            'content-type': text ? 'text/html; charset=utf-8' : 'application/json;charset=UTF-8',
            ...headers,
          });
          response.end(text ? body : JSON.stringify(body));
        })
        .catch((error: unknown) => {
          response.writeHead(500, { 'content-type': 'text/plain' });
          response.end(String(error));
        });
    });
    // Clients reuse connections; Node's default of five seconds would cut them off in the middle.
    server.keepAliveTimeout = 70_000;
    server.on('error', (error) =>
      reject('code' in error && error.code === 'EADDRINUSE' ? new PortTaken(port, error) : error),
    );
    server.listen(port, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        stop: () => close(server),
      }),
    );
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const read = async (request: IncomingMessage): Promise<SandboxRequest> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error('too large');
    chunks.push(chunk);
  }
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks).toString(),
  };
};
