import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import type { ChannelConnector, Content, ContentAccess, ContentRequest } from '../../core/channel.ts';
import { HubError } from '../../core/errors.ts';
import type { Secrets } from '../receive/receive.ts';
import type { Runtime } from '../runtime.ts';

/** Which route of a provider. */
export interface Origin {
  readonly provider: string;
  readonly account?: string | undefined;
}

interface ContentPorts {
  readonly connector: (provider: string) => ChannelConnector | undefined;
  readonly secrets: (provider: string, account: string | undefined) => Promise<Secrets | undefined>;
}

export interface Contents {
  /** Whether an address may be asked and the secret that this takes is stored. */
  isOpen(origin: Origin, url: string): Promise<boolean>;
  /**
   * What stands behind an address of a provider. Throws `HubError`: `content-refused` (never) where the address is not the
   * provider's or the provider does not give it, `content-unreachable` (later) where it did not come this time.
   */
  fetch(origin: Origin, url: string): Promise<Content>;
}

const LARGEST_BYTES = 25_000_000;
const TIMEOUT_MS = 10_000;
const MOST_HOPS = 4;
const AT_ONCE = 3;

/** Asks providers for what their webhooks only point at: few at once, so that the function's memory holds them. */
export const contents = (runtime: Runtime, ports: ContentPorts): Contents => {
  const inTurn = turns(AT_ONCE);
  const accessOf = async ({ provider, account }: Origin) => {
    const access = ports.connector(provider)?.content;
    if (access === undefined) return undefined;
    const stored = await ports.secrets(provider, account);
    const declared = Object.keys(ports.connector(provider)?.secrets ?? {});
    const secrets = Object.fromEntries(declared.map((name) => [name, stored?.[name] ?? []]));
    return { access, authorise: (url: string) => access.authorise(url, secrets, runtime.now()) };
  };
  return {
    async isOpen(origin, url) {
      const known = await accessOf(origin);
      return known !== undefined && isAddressOf(known.access, url) && known.authorise(url) !== undefined;
    },
    async fetch(origin, url) {
      const known = await accessOf(origin);
      if (known === undefined) throw refused(origin, 'its connector declares no content');
      return inTurn(() => walk(runtime, origin, known.access, known.authorise, url));
    },
  };
};

/** From the address that the mapping gave to the file, over the addresses that answers tell and redirects. */
const walk = async (
  runtime: Runtime,
  origin: Origin,
  access: ContentAccess,
  authorise: (url: string) => ContentRequest | undefined,
  first: string,
): Promise<Content> => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let request = authorise(first);
  for (let hop = 0; hop < MOST_HOPS && request !== undefined; hop++) {
    if (!isAddressOf(access, request.url)) throw refused(origin, 'the address is not one of the provider');
    const response = await ask(runtime, origin, request, signal);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      request = redirected(request, new URL(location, request.url));
      continue;
    }
    const content = await read(origin, response);
    const next = access.follow?.(request.url, Buffer.from(content.bytes.subarray(0, 65_536)).toString());
    if (next === undefined) return content;
    request = authorise(next);
  }
  throw refused(origin, 'the secret is not stored, or the address leads ever further');
};

/** What authorises at one host is not told to another. */
const redirected = ({ url, headers }: ContentRequest, to: URL): ContentRequest => ({
  url: to.href,
  ...(headers && to.host === new URL(url).host && { headers }),
});

const isAddressOf = ({ hosts }: ContentAccess, address: string): boolean => {
  const url = URL.parse(address);
  return (
    url?.protocol === 'https:' &&
    url.port === '' &&
    url.username === '' &&
    isIP(url.hostname.replace(/^\[|\]$/gu, '')) === 0 &&
    new RegExp(`^(?:${hosts.source})$`, 'u').test(url.hostname)
  );
};

const ask = async (
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

const read = async (origin: Origin, response: Response): Promise<Content> => {
  if (!response.ok) {
    await response.body?.cancel();
    const passing = response.status >= 500 || [408, 425, 429].includes(response.status);
    throw passing
      ? unreachable(origin, `it answered ${response.status}`)
      : refused(origin, `it answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > LARGEST_BYTES) throw refused(origin, `it is larger than ${LARGEST_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof HubError ? error : unreachable(origin, 'it stopped on the way', error);
  }
  return {
    contentType: response.headers.get('content-type') ?? 'application/octet-stream',
    bytes: Buffer.concat(chunks),
  };
};

const inside = new BlockList();
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
  inside.addSubnet(network, prefix);
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  inside.addSubnet(network, prefix, 'ipv6');

/** A name of a provider that leads into a private network leads somebody else's way. */
const expectPublic = async (origin: Origin, host: string): Promise<void> => {
  for (const { address, family } of await lookup(host, { all: true }))
    if (inside.check(address, family === 6 ? 'ipv6' : 'ipv4'))
      throw refused(origin, 'the address leads into a private network');
};

const refused = ({ provider }: Origin, why: string): HubError =>
  new HubError(
    'content-refused',
    `Content of ${provider} is not to be had: ${why}. Check the secrets of the route, then replay it.`,
    { retry: 'never' },
  );

const unreachable = ({ provider }: Origin, why: string, cause?: unknown): HubError =>
  new HubError('content-unreachable', `Content of ${provider} could not be fetched: ${why}.`, {
    retry: 'later',
    cause,
  });

/** Lets a number of tasks run at once, and the others wait. */
const turns = (most: number): (<Result>(task: () => Promise<Result>) => Promise<Result>) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
};
