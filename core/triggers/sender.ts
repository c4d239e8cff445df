import type { Category } from '../consent/consent.ts';
import { HubError } from '../errors.ts';
import type { Channel } from '../interaction/interaction.ts';

/** A message ready to be sent through one medium. */
export interface Outgoing {
  /** The notification's id: travels as a tag or idempotency key, so that a send in doubt can be recognised. */
  readonly id: string;
  readonly channel: Channel;
  readonly category: Category;
  /** The address alone, without its type. */
  readonly to: string;
  readonly from?: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  /** Where one click ends these messages; e-mail carries it as RFC 8058 headers. */
  readonly unsubscribe?: string;
  /** An approved WhatsApp template and its parameters. */
  readonly template?: {
    readonly name: string;
    readonly language: string;
    readonly parameters: readonly string[];
  };
}

/**
 * Sends through one vendor. `send` resolves to the vendor's id of the message. Where the vendor has answered that it did
 * not take the message, it rejects with `refusal`; any other error leaves in doubt whether the message was sent.
 */
export interface Sender {
  readonly id: string;
  /** The provider whose webhooks will tell what became of it. */
  readonly provider: string;
  send(message: Outgoing): Promise<string>;
}

const REFUSED = 'sender-refusal';

/** The vendor's answer that it did not take a message: for good (`never`), or for now. */
export const refusal = (
  message: string,
  options: { readonly retry: HubError['retry']; readonly cause?: unknown },
): HubError => new HubError(REFUSED, message, options);

/** Whether it is certain that a message was not sent. */
export const isRefusal = (error: unknown): error is HubError =>
  error instanceof HubError && error.code === REFUSED;

/** What an AWS client threw: the name of the error, and the HTTP status where the service has answered at all. */
export const awsFault = (error: unknown): { readonly name: string; readonly answered: boolean } => {
  const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  return {
    name: error instanceof Error ? error.name : 'unknown error',
    // A 5xx says nothing about whether the message was taken.
    answered: typeof status === 'number' && status < 500,
  };
};
