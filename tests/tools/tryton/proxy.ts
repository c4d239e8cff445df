import { once } from 'node:events';
import { createServer } from 'node:http';

/** Stands between the hub and a server, and loses answers on order. */
export interface LossyProxy {
  readonly port: number;
  /** From now on, the answer of every n-th write is lost after the server has written; 0: none. */
  loseEvery(n: number): void;
  readonly counts: () => { readonly requests: number; readonly lost: number };
  stop(): Promise<void>;
}

const WRITE = /"method":"model\.[a-z_.]+\.(?:create|write)"/u;

export const openProxy = async (target: number): Promise<LossyProxy> => {
  let [requests, writes, lost, every] = [0, 0, 0, 0];
  const server = createServer(async (request, response) => {
    requests++;
    try {
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts);
      const { authorization, 'content-type': type = 'application/json' } = request.headers;
      const answer = await fetch(`http://127.0.0.1:${target}${request.url}`, {
        ...{ method: request.method ?? 'GET', body },
        headers: { 'content-type': type, ...(authorization && { authorization }) },
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const isWrite = WRITE.test(body.toString());
      if (isWrite) writes++;
      if (isWrite && every > 0 && writes % every === 0) {
        lost++;
        request.socket.destroy();
        return;
      }
      response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        .end(bytes);
    } catch {
      request.socket.destroy();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    loseEvery(n) {
      every = n;
    },
    counts: () => ({ requests, lost }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
