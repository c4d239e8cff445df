import type { HubConfig } from '../../core/config/hub-config.ts';
import type { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { Channel, Instant } from '../../core/interaction/interaction.ts';
import type { ClickLink } from '../../core/triggers/message/click-link.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import type { NotNow, Sender } from '../../core/triggers/sending/sender.ts';
import type { Links } from '../../core/triggers/template.ts';
import type { SendingTrigger } from '../../core/triggers/trigger.ts';
import type { Notifications } from '../aws/triggers/notifications.ts';
import type { Triggers, TriggerVersion } from '../aws/triggers/triggers.ts';
import type { InteractionMessage } from '../contracts/messages/record.ts';
import type { ReadAddresses } from '../contracts/ports/addresses.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import type { History, StoredInteraction } from '../contracts/ports/history.ts';

export interface NotifyPorts {
  readonly notifications: Notifications;
  readonly triggers: Triggers;
  readonly history: History;
  readonly guests: Pick<Guests, 'ownerFor'>;
  readonly addresses: ReadAddresses;
  readonly hub: () => Promise<HubConfig>;
  readonly sender: (id: string) => Sender | undefined;
  /** The links of an address: unsubscribe from this channel, preferences page, confirmation of an opt-in. */
  readonly links: (address: Identifier, channel: Channel, sentAt: Instant) => Promise<Links>;
  /** Resolves to what makes the address of a tracked link. */
  readonly clickLinks: () => Promise<(link: ClickLink) => string>;
  readonly record: (message: InteractionMessage) => Promise<void>;
  readonly publishEvent: (
    type: 'notification.sent' | 'notification.failed' | 'notification.suppressed',
    notification: Notification,
  ) => Promise<void>;
  /** Stores the message in the list of failures, with the reason. */
  readonly saveFailure: (error: HubError) => Promise<void>;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Why a notification waits that is reserved as before: its sender does not take it now, or it is quiet for the customer. */
export type Held =
  | { readonly sender: string | undefined; readonly by: NotNow }
  /** Epoch milliseconds. */
  | { readonly sender: undefined; readonly quietUntil: number };

/** The stored data that one send needs. */
export interface Work {
  /** The trigger as it decides about this message. */
  readonly version: Pick<TriggerVersion, 'templates'> & { readonly trigger: SendingTrigger };
  readonly customer: Customer;
  readonly cause: StoredInteraction;
  readonly hub: HubConfig;
}
