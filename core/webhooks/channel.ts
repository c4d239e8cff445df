import type { DecodedInteraction } from '../interaction/interaction.ts';
import type { Vouching } from './vouching.ts';

/** One HTTP request of a provider, unchanged. */
export interface WebhookRequest {
  readonly method: string;
  /** The public address that the provider called: configured base, route, and the raw query string verbatim. */
  readonly url: string;
  /** Names in lower case; a repeated header's values joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** The raw bytes, before any decompression. */
  readonly body: Uint8Array;
}

declare const verified: unique symbol;

/** A request whose authenticity has been established. Only this type can be decoded. */
export type VerifiedRequest = WebhookRequest & { readonly [verified]: true };

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * The outcome of a verification, and the scheme that decided it. `accepted`: authentic; the delivery is queued, then
 * answered with `answer` (default: 200, empty). `answered`: a handshake; the answer is sent and nothing is stored.
 * `refused`: the answer is 401 (or `status`) and nothing is stored; `reason` goes to the admin's log and holds no secret.
 */
export type Verdict<Scheme extends string = string> = Accepted<Scheme> | Answered<Scheme | 'open'> | Refused;

export interface Accepted<Scheme extends string> {
  readonly verdict: 'accepted';
  readonly scheme: Scheme;
  readonly request: VerifiedRequest;
  readonly answer?: HttpAnswer;
  readonly nonce?: Nonce;
}

export interface Answered<Scheme extends string> {
  readonly verdict: 'answered';
  readonly scheme: Scheme;
  readonly answer: HttpAnswer;
}

export interface Refused {
  readonly verdict: 'refused';
  readonly reason: string;
  readonly status?: number;
}

/**
 * For a scheme that signs a token and not the body: `receive` stores the token with the digest of the first body that
 * came with it. The same body again is a retry; another body is refused. `seconds`: how long the token is stored, which
 * covers the tolerance of the scheme and the provider's retries.
 */
export interface Nonce {
  readonly token: string;
  readonly seconds: number;
}

/** Marks a request as verified. Call it only after the scheme has been checked. */
export const accepted = <const Scheme extends string>(
  scheme: Scheme,
  request: WebhookRequest,
  { answer, nonce }: { readonly answer?: HttpAnswer | undefined; readonly nonce?: Nonce } = {},
): Accepted<Scheme> => ({
  verdict: 'accepted',
  scheme,
  request: request as VerifiedRequest,
  ...(answer && { answer }),
  ...(nonce && { nonce }),
});

/** Answers a handshake. `open`: a handshake that anybody may start, because its answer proves the hub to the provider. */
export const answered = <const Scheme extends string>(
  scheme: Scheme,
  answer: HttpAnswer,
): Answered<Scheme> => ({ verdict: 'answered', scheme, answer });

export const refused = (reason: string, status?: number): Refused => ({
  verdict: 'refused',
  reason,
  ...(status !== undefined && { status }),
});

/** What a scheme proves of a request. The contract suite derives from it the requests that must be refused. */
export interface SchemeDeclaration {
  /**
   * The part of the body that the credential covers. `body`: every byte that is decoded. `{ member }`: the text of that
   * JSON member. `token`: a token, which `receive` ties to the first body (`Nonce`). `nothing`: the holder of the
   * credential may send any body.
   */
  readonly covers: 'body' | { readonly member: string } | 'token' | 'nothing';
  /**
   * `unsigned`: no signed time, so that a recorded request stays valid. `expires`: a token names its own end. Otherwise
   * the most seconds between the signed time and now, in both directions.
   */
  readonly time: 'unsigned' | 'expires' | { readonly toleranceSeconds: number };
  /** Headers that `verify` reads and does not need, such as the second of two signatures. */
  readonly optionalHeaders?: readonly string[];
}

export interface VerifyContext<Secret extends string = string> {
  /**
   * The stored values of each declared secret, newest first; several during a rotation. A required secret is never
   * empty here: the caller refuses first. An `optional` one may be an empty list.
   */
  readonly secrets: Readonly<Record<Secret, readonly string[]>>;
  /** Epoch milliseconds. */
  readonly now: number;
  /**
   * Fetches a small public document that the scheme needs: a certificate, a key set. The address must be https at one
   * of the connector's `documents.hosts`, else the request is refused. Cached for an hour. Throws `HubError` (later)
   * when the document cannot be fetched.
   */
  document(url: string): Promise<string>;
}

interface SecretDeclaration {
  /** Where the admin finds the value in the provider's console, as a short phrase. */
  readonly about: string;
  readonly optional?: true;
  /** An id, a setting or a public key: it needs no comparison in constant time. */
  readonly isPublic?: true;
}

/**
 * How `record` fetches content that a webhook only links to: a mail's body, a file whose address expires. Only https
 * and matching hosts, also for redirects; `record` limits size and time.
 */
export interface ContentAccess<Secret extends string = string> {
  /** Matches whole host names, from `^` to `$`. */
  readonly hosts: RegExp;
  /**
   * The address and the headers of the request, from the address in the mapping's interaction. Undefined if a secret
   * that it needs is not stored: the content then stays at the provider. `now`: epoch milliseconds, for tokens that
   * expire.
   */
  authorise(
    url: string,
    secrets: Readonly<Record<Secret, readonly string[]>>,
    now: number,
  ): ContentRequest | undefined;
  /**
   * If the answer is not the file but holds its address: that address, which is authorised in turn. Throws `HubError`
   * (later) if the file is not ready yet.
   */
  follow?(url: string, answer: string): string | undefined;
}

export interface ContentRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a provider's webhooks are authenticated and answered. Pure except for cryptography. */
export interface ChannelConnector<Secret extends string = string, Scheme extends string = string> {
  readonly id: string;
  readonly title: string;
  /** The vendor's page on signatures. */
  readonly docs: string;
  readonly secrets: Readonly<Record<Secret, SecretDeclaration>>;
  /** Every way in which the provider authenticates a request or a handshake, by a name of our own. */
  readonly schemes: Readonly<Record<Scheme, SchemeDeclaration>>;
  /** Methods other than POST that the provider uses. */
  readonly methods?: readonly ('GET' | 'HEAD' | 'PUT')[];
  /** From which hosts `verify` may fetch documents: matches whole host names, from `^` to `$`. */
  readonly documents?: { readonly hosts: RegExp };
  readonly content?: ContentAccess<Secret>;
  /**
   * The prefix in the hub's own bucket under which the provider stores content itself; a `fetch` of
   * `s3://<bucket>/<prefix>…` is read from there.
   */
  readonly deposits?: string;
  verify(
    request: WebhookRequest,
    context: VerifyContext<Secret>,
  ): Verdict<NoInfer<Scheme>> | Promise<Verdict<NoInfer<Scheme>>>;
}

/** Checks a connector with its exact names of secrets and schemes, and returns it as the common type. */
export const channel = <const Secret extends string, const Scheme extends string>(
  connector: ChannelConnector<Secret, Scheme>,
): ChannelConnector => connector as unknown as ChannelConnector;

/** A verified request as the queue carries it. */
export interface Delivery extends VerifiedRequest {
  readonly account?: string;
  /** ISO 8601; the time of interactions for which the provider gives none. */
  readonly receivedAt: string;
  /** Replays one member of a batch, by its path: the others were recorded. */
  readonly member?: string | undefined;
}

/** The contents of a delivery. `ignored` lists the event types that are not mapped, by the vendor's names. */
export interface Decoded {
  readonly interactions: readonly DecodedInteraction[];
  readonly ignored: readonly string[];
  /** Members of a batch of a shape that the mapping does not know, in their order. Each becomes a failure of its own. */
  readonly unreadable?: readonly Unreadable[];
}

export interface Unreadable {
  /** Its path in the delivery, such as `[3]`. */
  readonly member: string;
  /** Path and expected type; never a value. */
  readonly reason: string;
}

/** Content that `record` fetched from a provider. */
export interface Content {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Translates a provider's payloads. Throws a zod error or `HubError` `unreadable-delivery` if a payload is not as the vendor documents it. */
export interface ChannelMapping {
  readonly id: string;
  /** The channels and kinds that this provider's interactions can have, for the catalogue. */
  readonly channels: readonly DecodedInteraction['channel'][];
  readonly kinds: readonly DecodedInteraction['kind'][];
  /** Who vouches for each identifier that the mapping yields; what no row mentions is claimed. */
  readonly vouching: readonly Vouching[];
  /** For an EventBridge event instead of a webhook, `delivery.method` is `EVENT` and the body is the whole envelope. */
  decode(delivery: Delivery): Decoded | Promise<Decoded>;
  /** Adds the content that an interaction requested with `fetch`; key, kind and channel do not change. */
  complete?(
    interaction: DecodedInteraction,
    content: Content,
  ): DecodedInteraction | Promise<DecodedInteraction>;
}
