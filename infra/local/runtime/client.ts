import { Readable } from 'node:stream';
import type {
  HttpHandlerOptions,
  HttpRequest,
  HttpResponse,
  QueryParameterBag,
  RequestHandler,
} from '@smithy/types';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';

/** Replaces the socket of an AWS client: `requestHandler` for the SDK, `fetch` for clients that sign requests themselves. */
export interface InProcess {
  readonly requestHandler: RequestHandler<HttpRequest, HttpResponse>;
  readonly fetch: (request: Request) => Promise<Response>;
}

/** Binds AWS clients to the local runtime without a socket. The requests are the same as over HTTP. */
export const inProcess = (handle: (request: AwsRequest) => Promise<AwsResponse>): InProcess => ({
  requestHandler: {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, { abortSignal }: HttpHandlerOptions = {}) {
      const answer = handle({
        method: request.method,
        path: request.path,
        query: queryString(request.query ?? {}),
        headers: lowerCased({ host: request.hostname, ...request.headers }),
        body: await bytesOf(request.body),
      });
      const response = await (abortSignal instanceof AbortSignal
        ? unlessAborted(answer, abortSignal)
        : answer);
      const body = typeof response.body === 'string' ? Buffer.from(response.body) : response.body;
      // The SDK expects a stream from REST services, and bytes from the RPC protocols.
      const streams = request.headers['x-amz-target'] === undefined;
      return {
        response: {
          statusCode: response.status,
          headers: { ...response.headers },
          body: streams ? Readable.from([body]) : body,
        },
      };
    },
  },
  async fetch(request) {
    const url = new URL(request.url);
    const answer = handle({
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: lowerCased({ host: url.host, ...Object.fromEntries(request.headers) }),
      body: new Uint8Array(await request.arrayBuffer()),
    });
    const response = await unlessAborted(answer, request.signal);
    const empty = response.status === 204 || response.status === 304 || request.method === 'HEAD';
    return new Response(empty ? null : new Uint8Array(Buffer.from(response.body)), {
      status: response.status,
      headers: { ...response.headers },
    });
  },
});

/** As from a socket: an aborted request rejects, and what it has done stays done. */
const unlessAborted = <Answer>(answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([answer, promise]).finally(() => signal.removeEventListener('abort', abort));
};

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const queryString = (query: QueryParameterBag): string =>
  Object.entries(query)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) =>
        one === null ? encode(name) : `${encode(name)}=${encode(one)}`,
      ),
    )
    .join('&');

const bytesOf = async (body: unknown): Promise<Uint8Array> => {
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (isAsyncIterable(body)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  throw new TypeError(
    `An AWS client sent a body of type ${typeof body}, which the in-process binding cannot read.`,
  );
};

const isAsyncIterable = (value: unknown): value is AsyncIterable<Uint8Array | string> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
