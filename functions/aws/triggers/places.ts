import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { SendReservation } from '../../../core/triggers/limits.ts';
import type { Place } from '../../../core/triggers/series/place.ts';
import { seriesKey } from '../../contracts/keys.ts';
import { placeOf } from '../../contracts/rows/triggers.ts';
import type { Condition, Table, Write } from '../clients/dynamo.ts';
import { limitWrites, placeWrite, type SendReservations } from './notifications.ts';

/** The places of one customer in a series: running and ended ones of all source profiles. */
export interface PresentPlaces {
  readonly all: readonly Place[];
  /** The source profiles that were looked at. */
  readonly profileIds: readonly string[];
}

export interface Places {
  /** Strongly consistent. */
  of(profileIds: readonly string[], trigger: string): Promise<PresentPlaces>;
  /** Writes the row, with the next version; false where it is no longer at the given version. */
  save(place: Place): Promise<boolean>;
  /** Starts a series, and counts the entry; false where a place or a limit of the customer changed in between. */
  enter(
    place: Place,
    present: PresentPlaces,
    customer: Customer,
    limits: SendReservations,
    entry: SendReservation,
  ): Promise<boolean>;
}

export const places = (table: Table, hub: () => Promise<HubConfig>): Places => ({
  async of(profileIds, trigger) {
    const ids = [...new Set(profileIds)];
    const rows = await table.get(ids.map((id) => seriesKey(id, trigger)));
    return { all: rows.map(placeOf), profileIds: ids };
  },
  async save(place) {
    const write = placeWrite(place, await hub());
    return table.put(write.put, write.if);
  },
  // The row of every source profile is looked at: of two events of one customer at the same time, one starts the series.
  enter: async (place, { all, profileIds }, customer, limits, entry) => {
    const versions = new Map(all.map(({ profileId, version }) => [profileId, version]));
    const others = profileIds
      .filter((id) => id !== place.profileId)
      .map((id): Write => ({ check: seriesKey(id, place.trigger), if: conditionOf(versions.get(id)) }));
    const version = versions.get(place.profileId) ?? 0;
    return table.transact([
      placeWrite({ ...place, version }, await hub()),
      ...others,
      ...limitWrites(customer, limits, entry),
    ]);
  },
});

const conditionOf = (version: number | undefined): Condition =>
  version === undefined ? { absent: true } : { version };
