import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalError } from './errors.ts';
import type { AwsResponse } from './service.ts';

export interface RawRequest {
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

const BODY_LIMIT = 64 * 1024 * 1024;

export interface ListenOptions {
  /** 0: any free port. */
  readonly port?: number;
  /** The largest body in bytes; a larger one is refused before it is read completely. */
  readonly bodyLimit?: number;
}

/** Serves HTTP on 127.0.0.1. The keep-alive is long, because AWS clients reuse connections and take a reset for a lost request. */
export const listen = (
  answer: (request: RawRequest) => Promise<AwsResponse>,
  { port = 0, bodyLimit = BODY_LIMIT }: ListenOptions = {},
): Promise<Listener> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      void bodyOf(request, bodyLimit)
        .then((body) =>
          answer({
            method: request.method ?? 'GET',
            target: request.url ?? '/',
            headers: headersOf(request),
            body,
          }),
        )
        .catch(
          (error: unknown): AwsResponse =>
            error instanceof TooLarge
              ? {
                  status: 413,
                  headers: { 'content-type': 'application/json', connection: 'close' },
                  body: JSON.stringify({ message: 'Request Entity Too Large' }),
                }
              : { status: 500, headers: { 'content-type': 'text/plain' }, body: String(error) },
        )
        .then(({ status, headers, body, cookies = [] }) => {
          response.writeHead(status, {
            ...headers,
            ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
          });
          response.end(request.method === 'HEAD' ? undefined : body);
        });
    });
    server.keepAliveTimeout = 70_000;
    server.on('error', (error) =>
      reject('code' in error && error.code === 'EADDRINUSE' ? portTaken(port, error) : error),
    );
    server.listen(port, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        stop: () =>
          new Promise((stopped) => {
            server.close(() => stopped());
            server.closeAllConnections();
          }),
      }),
    );
  });

class TooLarge extends Error {}

/** Headers in lower case; repeated ones are joined with a comma, cookies with a semicolon. */
const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values = []]) => [
      name,
      values.join(name === 'cookie' ? '; ' : ','),
    ]),
  );

const bodyOf = async (request: IncomingMessage, limit: number): Promise<Uint8Array> => {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new TooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const portTaken = (port: number, cause: unknown): LocalError =>
  new LocalError(
    'port-taken',
    `Another process listens on port ${port} of 127.0.0.1. Choose another port, or stop that process.`,
    cause,
  );
