import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { addReservation, type SendReservation } from '../../../core/triggers/limits.ts';
import type { Notification, NotificationMessage } from '../../../core/triggers/notification.ts';
import { type Key, limitsKey, notificationKey } from '../../contracts/keys.ts';
import { Limits, notificationOf } from '../../contracts/rows/triggers.ts';
import type { Table, Write } from '../clients/dynamo.ts';

/** The reservations of a customer, each limits row with the version that a new reservation must find unchanged. */
export interface SendReservations {
  /** Of all source profiles: limits follow the customer across merges. */
  readonly all: readonly SendReservation[];
  /** By source profile. */
  readonly limitRows: ReadonlyMap<string, Limits>;
}

export interface Notifications {
  get(address: NotificationMessage): Promise<Notification | undefined>;
  /** Writes the row, with the next version (0: it is new); false where it is no longer at the given version. */
  save(notification: Notification): Promise<boolean>;
  /** The sends that count against the limits and caps of a customer. */
  reservations(customer: Customer): Promise<SendReservations>;
  /** Writes the notification together with its reservation; false where it or any limits row changed since it was read. */
  reserve(
    notification: Notification,
    customer: Customer,
    present: SendReservations,
    reservation: SendReservation,
  ): Promise<boolean>;
}

/** Notifications are stored as long as interactions, from the time at which they were last due. */
export const notifications = (table: Table, hub: () => Promise<HubConfig>): Notifications => ({
  async get(address) {
    const [row] = await table.get([notificationKey(address)]);
    return row && notificationOf(row);
  },
  save: async (notification) => table.transact([notificationWrite(notification, await hub())]),
  async reservations(customer) {
    const ids = customer.sourceProfiles.map(({ profile }) => profile.id);
    const rows = await table.get(ids.map(limitsKey));
    const found = new Map(rows.map((row) => [row.pk, Limits.parse(row)]));
    const limitRows = new Map(
      ids.map((id) => [id, found.get(limitsKey(id).pk) ?? { version: 0, reservations: [] }] as const),
    );
    return { limitRows, all: [...limitRows.values()].flatMap(({ reservations }) => reservations) };
  },
  // The row of every source profile is written, so that two decisions exclude each other also where one missed a merge.
  reserve: async (notification, customer, { limitRows }, reservation) =>
    table.transact([
      notificationWrite(notification, await hub()),
      ...[...limitRows].map(([id, { version, reservations }]) =>
        versioned(limitsKey(id), {
          version,
          reservations: id === customer.id ? addReservation(reservations, reservation) : reservations,
        }),
      ),
    ]),
});

const notificationWrite = (notification: Notification, { retention }: HubConfig): Write => {
  const { at, until = at } = notification;
  const expiresAt = Math.floor((Date.parse(until) + retention.interactions) / 1000);
  return versioned(notificationKey(notification), { ...notification, expiresAt });
};

/** A row of version 0 is new; any other must be at the version that was read. */
const versioned = (
  key: Key,
  row: Readonly<Record<string, unknown>> & { readonly version: number },
): Write => ({
  put: { ...key, ...row, version: row.version + 1 },
  if: row.version === 0 ? { absent: true } : { version: row.version },
});
