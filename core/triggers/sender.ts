import type { Category } from '../consent/consent.ts';
import { HubError } from '../errors.ts';
import { memberOf } from '../formats/payload.ts';
import type { Channel } from '../interaction/interaction.ts';

/** A message that is ready to be sent through one channel. */
export interface OutgoingMessage {
  /** The notification's id: sent as a tag or idempotency key, so that a duplicate send can be recognised. */
  readonly id: string;
  readonly channel: Channel;
  readonly category: Category;
  /** The address alone, without its type. */
  readonly to: string;
  readonly from?: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  /** The address that unsubscribes with one click; e-mail carries it in RFC 8058 headers. */
  readonly unsubscribe?: string;
  /** An approved WhatsApp template and its parameters. */
  readonly template?: {
    readonly name: string;
    readonly language: string;
    readonly parameters: readonly string[];
  };
}

/**
 * Sends through one vendor. `send` resolves to the vendor's id of the message. It rejects with `refusal` if the vendor
 * has refused the message; after any other error the message may have been sent.
 */
export interface Sender {
  readonly id: string;
  /** The provider whose webhooks report the message's status. */
  readonly provider: string;
  send(message: OutgoingMessage): Promise<string>;
}

const REFUSED = 'sender-refusal';

/** A vendor has refused a message: permanently (`never`), or for now. */
export const refusal = (
  message: string,
  options: { readonly retry: HubError['retry']; readonly cause?: unknown },
): HubError => new HubError(REFUSED, message, options);

/** Whether the message was certainly not sent. */
export const isRefusal = (error: unknown): error is HubError =>
  error instanceof HubError && error.code === REFUSED;

/**
 * For `catch` on a call to AWS. If the service has refused the message, throws the refusal: `sentence` describes it by
 * the name and the message of the error, and the errors in `passing` may be tried again. Otherwise, also after a 5xx, throws the error
 * itself: the message may have been sent.
 */
export const rejectAws =
  (sentence: (name: string, message: string) => string, passing: ReadonlySet<string>) =>
  (error: unknown): never => {
    const { name, message } = error instanceof Error ? error : { name: '', message: '' };
    const status = memberOf(memberOf(error, '$metadata'), 'httpStatusCode');
    if (typeof status !== 'number' || status >= 500) throw error;
    throw refusal(sentence(name, message), { retry: passing.has(name) ? 'later' : 'never', cause: error });
  };
