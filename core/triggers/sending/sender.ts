import type { Category } from '../../consent/consent.ts';
import { HubError } from '../../errors.ts';
import { memberOf } from '../../formats/payload.ts';
import type { Channel } from '../../interaction/interaction.ts';
import type { AccountQuota, SendingLimits } from './pace.ts';

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
 * Sends through one vendor. `send` resolves to the vendor's id of the message. It rejects with `refusal` or `NotNow` if the
 * vendor has refused the message; after any other error the message may have been sent.
 */
export interface Sender {
  readonly id: string;
  /** The provider whose webhooks report the message's status. */
  readonly provider: string;
  /** What the vendor gives to every account, where neither hub.yaml nor `quota` says it. */
  readonly usual?: SendingLimits;
  /** What the vendor says of this account. */
  quota?(): Promise<AccountQuota>;
  /**
   * Asks the vendor for something that sends nothing. Resolves to the account that the credentials lead to, as a phrase.
   * Rejects as `send` does.
   */
  check?(): Promise<string>;
  send(message: OutgoingMessage): Promise<string>;
}

const REFUSED = 'sender-refusal';

/** A vendor has refused a message for good. */
export const refusal = (message: string, options: { readonly cause?: unknown } = {}): HubError =>
  new HubError(REFUSED, message, { retry: 'never', ...options });

/**
 * Why a vendor does not take a message now. `rate`: too many at this moment. `message`: this one, or its recipient.
 * `account`: nothing of the account, such as a used-up quota. `down`: a fault of the vendor.
 */
export type NotNowReason = 'rate' | 'message' | 'account' | 'down';

/** A vendor has not taken a message, and may take it later: this costs no try. */
export class NotNow extends HubError {
  readonly why: NotNowReason;

  constructor(
    why: NotNowReason,
    message: string,
    { afterSeconds, cause }: { readonly afterSeconds?: number; readonly cause?: unknown } = {},
  ) {
    super(REFUSED, message, { retry: afterSeconds === undefined ? 'later' : { afterSeconds }, cause });
    this.why = why;
  }
}

/** A vendor has refused a message for good because its address is no longer in use: nothing may be sent to it again. */
export class DeadAddress extends HubError {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(REFUSED, message, { retry: 'never', ...options });
  }
}

/** Whether the message was certainly not sent. */
export const isRefusal = (error: unknown): error is HubError =>
  error instanceof HubError && error.code === REFUSED;

/**
 * For `catch` on a call to AWS. If the service has refused the message, throws the refusal: `sentence` describes it by the
 * name and the message of the error, and `whyNotNow` finds those that pass. Otherwise, also after a 5xx, throws the error
 * itself: the message may have been sent.
 */
export const rejectAws =
  (
    sentence: (name: string, message: string) => string,
    whyNotNow: (name: string, message: string) => NotNowReason | undefined,
  ) =>
  (error: unknown): never => {
    const { name, message } = error instanceof Error ? error : { name: '', message: '' };
    const status = memberOf(memberOf(error, '$metadata'), 'httpStatusCode');
    if (typeof status !== 'number' || status >= 500) throw error;
    const why = whyNotNow(name, message);
    if (why !== undefined) throw new NotNow(why, sentence(name, message), { cause: error });
    throw refusal(sentence(name, message), { cause: error });
  };
