import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** Serves on the loopback alone. Idle connections are kept long: AWS clients reuse them, and a reset looks like a lost request. */
export const listen = (answer: (request: RawRequest) => Promise<AwsResponse>, port = 0): Promise<Listener> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      void bodyOf(request)
        .then((body) =>
          answer({
            method: request.method ?? 'GET',
            target: request.url ?? '/',
            headers: headersOf(request),
            body,
          }),
        )
        .catch(
          (error: unknown): AwsResponse => ({
            status: error instanceof RangeError ? 413 : 500,
            headers: { 'content-type': 'text/plain' },
            body: String(error),
          }),
        )
        .then(({ status, headers, body }) => {
          response.writeHead(status, headers);
          response.end(request.method === 'HEAD' ? undefined : body);
        });
    });
    server.keepAliveTimeout = 70_000;
    server.on('error', reject);
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

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : String(value),
    ]),
  );

const bodyOf = async (request: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new RangeError(`A request may have ${BODY_LIMIT} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
