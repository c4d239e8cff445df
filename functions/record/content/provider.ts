import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { HubError } from '../../../core/errors.ts';
import type { ContentAccess, ContentRequest } from '../../../core/webhooks/channel.ts';
import type { Runtime } from '../../contracts/runtime.ts';

/** The route that an interaction came by: its secrets give access to the content. */
export interface Origin {
  readonly provider: string;
  readonly account?: string | undefined;
}

/** An answer as it arrives. Reading its bytes throws the same `HubError`s as the request. */
export interface Stream {
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** The largest size of an answer, and how long it may take. */
export interface FetchLimits {
  readonly bytes: number;
  readonly milliseconds: number;
}

const MOST_HOPS = 4;
/** How much of an answer is read to find the URL of the file in it. */
const HEAD_BYTES = 65_536;

/**
 * Requests content, following redirects and the URLs that answers name, at most `MOST_HOPS` of them. Each URL must be one of
 * the provider's. Throws `HubError` `refused-content` (never) or `unreachable-content` (later).
 */
export const follow = async (
  runtime: Runtime,
  origin: Origin,
  access: ContentAccess,
  authorise: (url: string) => ContentRequest | undefined,
  first: string,
  limits: FetchLimits,
): Promise<Stream> => {
  const signal = AbortSignal.timeout(limits.milliseconds);
  let request = authorise(first);
  for (let hop = 0; hop < MOST_HOPS && request !== undefined; hop++) {
    if (!isAddressOf(access, request.url)) throw refused(origin, 'its URL is not one of the provider');
    const response = await fetchFrom(runtime, origin, request, signal);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      const to = URL.parse(location, request.url);
      // The error of `new URL` would quote the URL, which may contain a secret.
      if (to === null) throw refused(origin, 'it redirects to an invalid URL');
      request = redirected(request, to);
      continue;
    }
    const stream = await streamOf(origin, response, limits.bytes);
    if (access.follow === undefined) return stream;
    const { head, all, close } = await peek(stream.bytes);
    try {
      const next = access.follow(request.url, head);
      if (next === undefined) return { ...stream, bytes: all };
      request = authorise(next);
    } catch (error) {
      await close();
      throw error;
    }
    await close();
  }
  throw refused(origin, `the secret is not stored, or there are more than ${MOST_HOPS} redirects`);
};

/** Credentials are sent to the host that they are for, and to no other. */
const redirected = ({ url, headers }: ContentRequest, to: URL): ContentRequest => ({
  url: to.href,
  ...(headers && to.host === new URL(url).host && { headers }),
});

export const isAddressOf = ({ hosts }: ContentAccess, address: string): boolean => {
  const url = URL.parse(address);
  return (
    url?.protocol === 'https:' &&
    url.port === '' &&
    url.username === '' &&
    isIP(url.hostname.replace(/^\[|\]$/gu, '')) === 0 &&
    hosts.test(url.hostname)
  );
};

const fetchFrom = async (
  runtime: Runtime,
  origin: Origin,
  { url, headers }: ContentRequest,
  signal: AbortSignal,
): Promise<Response> => {
  try {
    if (runtime.fetch === undefined) await expectPublic(origin, new URL(url).hostname);
    return await (runtime.fetch ?? fetch)(url, { redirect: 'manual', signal, ...(headers && { headers }) });
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw unreachable(origin, 'it did not answer', error);
  }
};

const streamOf = async (origin: Origin, response: Response, most: number): Promise<Stream> => {
  if (!response.ok) {
    await response.body?.cancel();
    const isTemporary = response.status >= 500 || [408, 425, 429].includes(response.status);
    throw isTemporary
      ? unreachable(origin, `it answered ${response.status}`)
      : refused(origin, `it answered ${response.status}`);
  }
  return {
    contentType: response.headers.get('content-type') ?? 'application/octet-stream',
    bytes: capped(origin, response, most),
  };
};

/** The bytes of an answer as they arrive. Throws `refused-content` after `most` bytes, whatever its headers say. */
export async function* capped(origin: Origin, { body }: Response, most: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      size += chunk.byteLength;
      if (size > most) throw refused(origin, `it is larger than ${most} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof HubError ? error : unreachable(origin, 'the connection broke', error);
  }
}

/** The beginning of a stream as text, and the complete stream still to be read. */
const peek = async (
  bytes: AsyncIterable<Uint8Array>,
): Promise<{
  readonly head: string;
  readonly all: AsyncIterable<Uint8Array>;
  readonly close: () => Promise<unknown>;
}> => {
  const reader = bytes[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    seen.push(next.value);
    size += next.value.byteLength;
    if (size >= HEAD_BYTES) break;
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* seen.splice(0);
      for (let next = await reader.next(); next.done !== true; next = await reader.next()) yield next.value;
    } finally {
      await reader.return?.();
    }
  };
  const head = Buffer.concat(seen).subarray(0, HEAD_BYTES).toString();
  return { head, all: all(), close: async () => reader.return?.() };
};

const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  privateNetworks.addSubnet(network, prefix);
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  privateNetworks.addSubnet(network, prefix, 'ipv6');

/** A provider's host name that resolves into a private network is an attack (server-side request forgery). */
const expectPublic = async (origin: Origin, host: string): Promise<void> => {
  for (const { address, family } of await lookup(host, { all: true }))
    if (privateNetworks.check(address, family === 6 ? 'ipv6' : 'ipv4'))
      throw refused(origin, 'its host is in a private network');
};

export const refused = ({ provider }: Origin, why: string): HubError =>
  new HubError(
    'refused-content',
    `Content of ${provider} was refused: ${why}. Check the secrets of the route, then replay the failure.`,
    { retry: 'never' },
  );

export const unreachable = ({ provider }: Origin, why: string, cause?: unknown): HubError =>
  new HubError('unreachable-content', `Content of ${provider} could not be fetched: ${why}.`, {
    retry: 'later',
    cause,
  });
