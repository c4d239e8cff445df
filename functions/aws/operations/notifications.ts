import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { addReservation, type SendReservation } from '../../../core/triggers/limits.ts';
import type { Notification, NotificationMessage } from '../../../core/triggers/notification.ts';
import { type Key, limitsKey, notificationKey } from '../../contracts/keys.ts';
import { Limits, notificationOf } from '../../contracts/rows/triggers.ts';
import type { Table, Write } from '../clients/dynamo.ts';

/** The sends to a customer that count against limits, by source profile, each with the version that a reservation must find unchanged. */
export interface SendReservations {
  /** Over all source profiles: limits follow the person across merges. */
  readonly all: readonly SendReservation[];
  readonly limitRows: ReadonlyMap<string, Limits>;
}

export interface Notifications {
  get(address: NotificationMessage): Promise<Notification | undefined>;
  /** Writes the row if it is still at the version given (0: not there yet); false if not. */
  save(notification: Notification): Promise<boolean>;
  reservations(customer: Customer): Promise<SendReservations>;
  /** Writes the row together with the reservation; false when either changed in between. */
  reserve(
    notification: Notification,
    customer: Customer,
    reservations: SendReservations,
    reservation: SendReservation,
  ): Promise<boolean>;
}

/** Rows of notifications, kept as long as interactions are from when they were last due. */
export const notifications = (table: Table, hub: () => Promise<HubConfig>): Notifications => ({
  async get(address) {
    const [row] = await table.get([notificationKey(address)]);
    return row && notificationOf(row);
  },
  save: async (notification) => table.transact([kept(notification, await hub())]),
  async reservations(customer) {
    const ids = customer.sourceProfiles.map(({ profile }) => profile.id);
    const rows = await table.get(ids.map(limitsKey));
    const found = new Map(rows.map((row) => [row.pk, Limits.parse(row)]));
    const limitRows = new Map(
      ids.map((id) => [id, found.get(limitsKey(id).pk) ?? { version: 0, reservations: [] }] as const),
    );
    return { limitRows, all: [...limitRows.values()].flatMap(({ reservations }) => reservations) };
  },
  // The row of every source profile is written: a reservation that does not know of a merge fails and is decided again.
  reserve: async (notification, customer, { limitRows }, reservation) =>
    table.transact([
      kept(notification, await hub()),
      ...[...limitRows].map(([id, limits]) =>
        write(limitsKey(id), {
          version: limits.version,
          reservations:
            id === customer.id ? addReservation(limits.reservations, reservation) : limits.reservations,
        }),
      ),
    ]),
});

const kept = (notification: Notification, { retention }: HubConfig): Write => {
  const { at, until = at } = notification;
  const expiresAt = Math.floor((Date.parse(until) + retention.interactions) / 1000);
  return write(notificationKey(notification), { ...notification, expiresAt });
};

/** A row of version 0 is new; any other must still be what was read. */
const write = (key: Key, row: Readonly<Record<string, unknown>> & { readonly version: number }): Write => ({
  put: { ...key, ...row, version: row.version + 1 },
  if: row.version === 0 ? { absent: true } : { version: row.version },
});
