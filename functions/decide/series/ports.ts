import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { DecisionMessage } from '../../../core/triggers/notification.ts';
import type { Places } from '../../aws/triggers/places.ts';
import type { TriggerVersion } from '../../aws/triggers/triggers.ts';
import type { Guests } from '../../contracts/ports/guests.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import type { CurrentTrigger } from '../../contracts/rows/triggers.ts';
import type { DecidePorts } from '../decide.ts';

export interface SeriesPorts extends Omit<DecidePorts, 'guests'> {
  readonly places: Places;
  readonly guests: Pick<Guests, 'ownerFor' | 'guestsOf'>;
}

/** What one message of the decisions queue is about, as it is stored now. */
export interface SeriesWork {
  readonly message: DecisionMessage;
  /** The version that the message names; a place may be of another. */
  readonly version: TriggerVersion;
  readonly current: CurrentTrigger | undefined;
  readonly customer: Customer;
  /** The source profiles whose places are the customer's. */
  readonly profileIds: readonly string[];
  readonly cause: StoredInteraction;
  readonly hub: HubConfig;
}
