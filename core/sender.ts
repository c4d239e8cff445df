import type { Category } from './consent.ts';
import type { Channel } from './interaction.ts';

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

/** Sends through one vendor. `send` resolves to the vendor's id of the message; it rejects with `HubError` whose `retry` says whether to try again. */
export interface Sender {
  readonly id: string;
  /** The provider whose webhooks will tell what became of it. */
  readonly provider: string;
  send(message: Outgoing): Promise<string>;
}
