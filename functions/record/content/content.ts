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
 * What webhooks only point at: at a provider, or where the provider has put it into the hub's own bucket. Asking throws
 * `HubError`: `refused-content` (never) where the address is not the provider's or the provider does not give it,
 * `unreachable-content` (later) where it did not come this time.
 */
export interface Contents {
  /** Whether an address may be asked and the secret that this takes is stored. */
  isOpen(origin: Origin, url: string): Promise<boolean>;
  /** Hands content over whole: at most 10 MB of a provider, 40 MB of the bucket. Others wait while it is held. */
  use<Result>(origin: Origin, url: string, take: (content: Content) => Promise<Result>): Promise<Result>;
  /** Hands content over as it comes, at most 100 MB. */
  copy(origin: Origin, url: string, take: (stream: Stream) => Promise<void>): Promise<void>;
}

/** A mail, which is the largest that SES takes; parsed it takes nine times as much memory, and it is alone then. */
const MAIL_BYTES = 40 * 1024 * 1024;
const READ: FetchLimits = { bytes: 10_000_000, milliseconds: 10_000 };
/** The largest file that a provider of messages takes is a document of WhatsApp. */
const COPIED: FetchLimits = { bytes: 100_000_000, milliseconds: 25_000 };

export const contents = (runtime: Runtime, { connector, secrets, files }: ContentPorts): Contents => {
  const inTurn = concurrencyLimiter(MAIL_BYTES);
  const accessOf = async ({ provider, account }: Origin) => {
    const access = connector(provider)?.content;
    if (access === undefined) return undefined;
    const stored = await secrets(provider, account);
    const declared = Object.keys(connector(provider)?.secrets ?? {});
    const known = Object.fromEntries(declared.map((name) => [name, stored?.[name] ?? []]));
    return { access, authorise: (url: string) => access.authorise(url, known, runtime.now()) };
  };
  const open = async (origin: Origin, first: string, patience: FetchLimits): Promise<Stream> => {
    const known = await accessOf(origin);
    if (known === undefined) throw refused(origin, 'its connector declares no content');
    return follow(runtime, origin, known.access, known.authorise, first, patience);
  };
  /** The key of an object that the provider may put into the hub's bucket. */
  const depositOf = ({ provider }: Origin, url: string): string | undefined => {
    const { deposits } = connector(provider) ?? {};
    const start = `s3://${runtime.env['BUCKET']}/`;
    // An address with dots would lead to another object.
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
        'SES encrypted it; switch message encryption off in the receipt rule, the bucket has its own',
      );
    const contentType = object.headers.get('content-type') ?? 'application/octet-stream';
    return { contentType, bytes: capped(origin, object, MAIL_BYTES) };
  };
  return {
    async isOpen(origin, url) {
      if (depositOf(origin, url) !== undefined) return true;
      const known = await accessOf(origin);
      return known !== undefined && isAddressOf(known.access, url) && known.authorise(url) !== undefined;
    },
    use(origin, url, take) {
      const key = depositOf(origin, url);
      return inTurn(key === undefined ? READ.bytes : MAIL_BYTES, async () =>
        take(await whole(await (key === undefined ? open(origin, url, READ) : openDeposit(origin, key)))),
      );
    },
    copy: (origin, url, take) => inTurn(READ.bytes, async () => take(await open(origin, url, COPIED))),
  };
};

const whole = async ({ contentType, bytes }: Stream): Promise<Content> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return { contentType, bytes: Buffer.concat(chunks) };
};
