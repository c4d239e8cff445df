import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { SendReservation } from '../../../core/triggers/limits.ts';
import type { Place } from '../../../core/triggers/series/place.ts';
import { seriesKey } from '../../contracts/keys.ts';
import { placeOf } from '../../contracts/rows/triggers.ts';
import type { Table } from '../clients/dynamo.ts';
import { limitWrites, placeWrite, type SendReservations } from './notifications.ts';

export interface Places {
  /** The last place of each source profile in a series, running or ended; strongly consistent. */
  of(profileIds: readonly string[], trigger: string): Promise<readonly Place[]>;
  /** Writes the row, with the next version; false where it is no longer at the given version. */
  save(place: Place): Promise<boolean>;
  /**
   * Starts a series, and counts the entry; false where the place, or a limit of the customer, changed in between. Every entry
   * of a customer changes its limits: where these were read before all places, no other place has started since.
   */
  enter(place: Place, customer: Customer, limits: SendReservations, entry: SendReservation): Promise<boolean>;
}

export const places = (table: Table, hub: () => Promise<HubConfig>): Places => ({
  async of(profileIds, trigger) {
    const rows = await table.get([...new Set(profileIds)].map((id) => seriesKey(id, trigger)));
    return rows.map(placeOf);
  },
  async save(place) {
    const write = placeWrite(place, await hub());
    return table.put(write.put, write.if);
  },
  enter: async (place, customer, limits, entry) =>
    table.transact([placeWrite(place, await hub()), ...limitWrites(customer, limits, entry)]),
});
