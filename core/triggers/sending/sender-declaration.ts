import type { Channel } from '../../interaction/interaction.ts';
import type { SendingLimits } from './pace.ts';
import type { Sender } from './sender.ts';

/** The fields of a sender's secret, by name. */
export type SenderFields = Readonly<
  Record<
    string,
    {
      /** Where the admin finds the value in the vendor's console, as a short phrase. */
      readonly about: string;
      readonly optional?: true;
    }
  >
>;

/** A sender as a list of senders shows it; `build` makes it from what it is given. */
export interface SenderDeclaration<Context> {
  /** Its id in hub.yaml, in the name of its secret and in `hub connect`. */
  readonly id: string;
  readonly title: string;
  /** The vendor's page about sending. */
  readonly docs: string;
  /** The provider whose webhooks report the status of its messages. */
  readonly provider: string;
  /** The channels whose messages it sends. */
  readonly channels: readonly Channel[];
  /** Empty for services of AWS, which use the role of the function. */
  readonly secrets: SenderFields;
  /** What the vendor gives to every account. */
  readonly usual?: SendingLimits;
  readonly build: (context: Context) => Pick<Sender, 'send' | 'quota' | 'check'>;
}
