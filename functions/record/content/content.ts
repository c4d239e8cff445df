import type { ChannelConnector, Content } from '../../../core/webhooks/channel.ts';
import type { RouteSecrets } from '../../contracts/ports/secrets.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { concurrencyLimiter } from './concurrency-limiter.ts';
import type { Files } from './files.ts';
import {
  capped,
  type FetchLimits,
  follow,
  isAddressOf,
  type Origin,
  refused,
  type Stream,
  unreachable,
} from './provider.ts';

interface ContentPorts {
  readonly connector: (provider: string) => ChannelConnector | undefined;
  readonly secrets: (provider: string, account: string | undefined) => Promise<RouteSecrets | undefined>;
  readonly files: Pick<Files, 'open'>;
}

/**
 * Content that webhooks only point at, stored at the provider or put by the provider into the hub's bucket. Throws
 * `HubError`: `refused-content` (never) where the URL is not one of the provider's or the provider refuses it,
 * `unreachable-content` (later) where it could not be fetched this time.
 */
export interface Contents {
  /** Whether a URL may be requested and the secret that it needs is stored. */
  isAvailable(origin: Origin, url: string): Promise<boolean>;
  /** Reads content into memory: at most 10 MB of a provider, 40 MB of the bucket. Waits while too much is in memory. */
  use<Result>(origin: Origin, url: string, consume: (content: Content) => Promise<Result>): Promise<Result>;
  /** Passes content on as it arrives, at most `most` bytes, by default `MOST_COPIED_BYTES`. */
  copy(origin: Origin, url: string, consume: (stream: Stream) => Promise<void>, most?: number): Promise<void>;
}

/** The largest mail that SES receives. Parsed it needs nine times as much memory, so it is read alone. */
const MAIL_BYTES = 40 * 1024 * 1024;
const READ: FetchLimits = { bytes: 10_000_000, milliseconds: 10_000 };
/** The largest file of any messaging provider: a document of WhatsApp. */
export const MOST_COPIED_BYTES = 100_000_000;
const COPY_MS = 25_000;

export const contents = (runtime: Runtime, { connector, secrets, files }: ContentPorts): Contents => {
  const limited = concurrencyLimiter(MAIL_BYTES);
  const accessOf = async ({ provider, account }: Origin) => {
    const access = connector(provider)?.content;
    if (access === undefined) return undefined;
    const stored = await secrets(provider, account);
    const declared = Object.keys(connector(provider)?.secrets ?? {});
    const known = Object.fromEntries(declared.map((name) => [name, stored?.[name] ?? []]));
    return { access, authorise: (url: string) => access.authorise(url, known, runtime.now()) };
  };
  const open = async (origin: Origin, first: string, limits: FetchLimits): Promise<Stream> => {
    const known = await accessOf(origin);
    if (known === undefined) throw refused(origin, 'its connector declares no content');
    return follow(runtime, origin, known.access, known.authorise, first, limits);
  };
  /** The key of an object that the provider may have put into the hub's bucket. */
  const depositOf = ({ provider }: Origin, url: string): string | undefined => {
    const { deposits } = connector(provider) ?? {};
    const start = `s3://${runtime.env['BUCKET']}/`;
    // A path with dots would name another object.
    if (url.split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
    return deposits !== undefined && url.startsWith(`${start}${deposits}`)
      ? url.slice(start.length)
      : undefined;
  };
  const openDeposit = async (origin: Origin, key: string): Promise<Stream> => {
    const object = await files.open(key);
    if (object === undefined) throw unreachable(origin, 'it is not in the bucket');
    if (object.headers.has('x-amz-meta-x-amz-key-v2'))
      throw refused(
        origin,
        'SES encrypted it. Disable message encryption in the receipt rule; the bucket encrypts it already',
      );
    const contentType = object.headers.get('content-type') ?? 'application/octet-stream';
    return { contentType, bytes: capped(origin, object, MAIL_BYTES) };
  };
  return {
    async isAvailable(origin, url) {
      if (depositOf(origin, url) !== undefined) return true;
      const known = await accessOf(origin);
      return known !== undefined && isAddressOf(known.access, url) && known.authorise(url) !== undefined;
    },
    use(origin, url, consume) {
      const key = depositOf(origin, url);
      return limited(key === undefined ? READ.bytes : MAIL_BYTES, async () =>
        consume(
          await readAll(await (key === undefined ? open(origin, url, READ) : openDeposit(origin, key))),
        ),
      );
    },
    copy: (origin, url, consume, most = MOST_COPIED_BYTES) =>
      limited(READ.bytes, async () =>
        consume(await open(origin, url, { bytes: most, milliseconds: COPY_MS })),
      ),
  };
};

const readAll = async ({ contentType, bytes }: Stream): Promise<Content> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return { contentType, bytes: Buffer.concat(chunks) };
};
