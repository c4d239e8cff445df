import type { DecodedInteraction } from '../interaction/interaction.ts';

/** One HTTP request of a provider, exactly as it came. */
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
 * What became of a request. `accepted`: authentic, to be queued, then answered with `answer` (default: 200, empty).
 * `answered`: a handshake; the answer goes back and nothing is stored. `refused`: 401 (or `status`), nothing stored;
 * `reason` is for the admin's log and never holds a secret.
 */
export type Verdict =
  | {
      readonly verdict: 'accepted';
      readonly request: VerifiedRequest;
      readonly answer?: HttpAnswer;
      readonly once?: Nonce;
    }
  | { readonly verdict: 'answered'; readonly answer: HttpAnswer }
  | { readonly verdict: 'refused'; readonly reason: string; readonly status?: number };

/**
 * For a scheme that signs a token and not the body: the token is remembered with the digest of the first body that came
 * with it. The same body again is a retry, another body is refused. `seconds`: how long to remember, the scheme's
 * tolerance and the provider's retries included.
 */
export interface Nonce {
  readonly token: string;
  readonly seconds: number;
}

/** The one place where a request becomes a verified one. Call it only after the scheme has been checked. */
export const accepted = (request: WebhookRequest, answer?: HttpAnswer, once?: Nonce): Verdict => ({
  verdict: 'accepted',
  request: request as VerifiedRequest,
  ...(answer && { answer }),
  ...(once && { once }),
});
export const answered = (answer: HttpAnswer): Verdict => ({ verdict: 'answered', answer });
export const refused = (reason: string, status?: number): Verdict => ({
  verdict: 'refused',
  reason,
  ...(status !== undefined && { status }),
});

export interface VerifyContext<Secret extends string = string> {
  /**
   * The values stored for each declared secret, newest first, several during a rotation. A declared secret that is
   * absent or empty never reaches `verify`: the caller refuses first. An `optional` one may be an empty list.
   */
  readonly secrets: Readonly<Record<Secret, readonly string[]>>;
  /** Epoch milliseconds. */
  readonly now: number;
  /**
   * The text of a small public document that the scheme rests on: a certificate, a key set. https and the connector's
   * `documents.hosts` only; kept for an hour. Another address refuses the request; a document that cannot be had is an
   * error to be tried later, never an acceptance.
   */
  document(url: string): Promise<string>;
}

export interface SecretDeclaration {
  /** What the admin must look for in the provider's console, as a short phrase. */
  readonly about: string;
  readonly optional?: true;
}

/**
 * How `record` fetches what a webhook only points at: a mail's body, a file whose address expires. https only, hosts
 * that match only, redirects to such hosts only, and a size and time limit.
 */
export interface ContentAccess<Secret extends string = string> {
  /** Matched against the whole host name. */
  readonly hosts: RegExp;
  /**
   * The address and the headers to ask with, from the address that the mapping gave. Undefined where the secret that this
   * needs is not stored: the content stays at the provider. `now` is in epoch milliseconds, for tokens that expire.
   */
  authorise(
    url: string,
    secrets: Readonly<Record<Secret, readonly string[]>>,
    now: number,
  ): ContentRequest | undefined;
  /**
   * Where the answer is not the file but tells its address: that address, to be authorised in turn. Throws `HubError`
   * (later) where the provider says that the file is not ready yet.
   */
  follow?(url: string, answer: string): string | undefined;
}

export interface ContentRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a provider's webhooks are authenticated and answered. Pure but for cryptography. */
export interface ChannelConnector<Secret extends string = string> {
  readonly id: string;
  readonly title: string;
  /** The vendor's page on signatures. */
  readonly docs: string;
  readonly secrets: Readonly<Record<Secret, SecretDeclaration>>;
  /** Methods other than POST that the provider uses. */
  readonly methods?: readonly ('GET' | 'HEAD' | 'PUT')[];
  /** What else the admin should know when switching it on, in a sentence or two: `hub connect` prints it. */
  readonly setup?: string;
  /** Where `verify` may ask for documents: matched against the whole host name. */
  readonly documents?: { readonly hosts: RegExp };
  readonly content?: ContentAccess<Secret>;
  /**
   * Below which prefix of the hub's own bucket the provider puts content by itself; a `fetch` of
   * `s3://<bucket>/<prefix>…` is read from there.
   */
  readonly deposits?: string;
  verify(request: WebhookRequest, context: VerifyContext<Secret>): Verdict | Promise<Verdict>;
}

/** Gives a connector its exact secret names inside, and one common type outside. */
export const channel = <const Secret extends string>(connector: ChannelConnector<Secret>): ChannelConnector =>
  connector as unknown as ChannelConnector;

/** A verified request on its way through the queue. */
export interface Delivery extends VerifiedRequest {
  readonly account?: string;
  /** ISO 8601; the time of acts for which the provider gives none. */
  readonly receivedAt: string;
}

/** What a delivery holds. `ignored` lists the vendor's names of event types that are known or unknown and not mapped. */
export interface Decoded {
  readonly interactions: readonly DecodedInteraction[];
  readonly ignored: readonly string[];
}

/** What a provider answered when asked for what a webhook only points at. */
export interface Content {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A provider's payload, translated. Throws (a zod error or HubError `unreadable`) when the payload is not what the vendor documents. */
export interface ChannelMapping {
  readonly id: string;
  /** The media that this provider's interactions can have, for the catalogue. */
  readonly channels: readonly DecodedInteraction['channel'][];
  readonly kinds: readonly DecodedInteraction['kind'][];
  /** `delivery.method` is `EVENT`, and the body the whole envelope, where an EventBridge event came instead of a webhook. */
  decode(delivery: Delivery): Decoded | Promise<Decoded>;
  /** An interaction whose `fetch` has been fetched, with what the content tells; key, kind and channel stay. */
  complete?(
    interaction: DecodedInteraction,
    content: Content,
  ): DecodedInteraction | Promise<DecodedInteraction>;
}
