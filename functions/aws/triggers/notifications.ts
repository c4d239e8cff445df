import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { addReservation, type SendReservation } from '../../../core/triggers/limits.ts';
import type { Notification, NotificationMessage } from '../../../core/triggers/notification.ts';
import type { Place } from '../../../core/triggers/series/place.ts';
import {
  addressLimitsKey,
  hubClaimsKey,
  type Key,
  keyText,
  limitsKey,
  notificationKey,
  onceKey,
  profileIdOf,
  profilePartition,
  seriesKey,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import { type Limits, limitsRowOf, notificationOf, onceOf } from '../../contracts/rows/triggers.ts';
import type { Table, Write } from '../clients/dynamo.ts';

/** The reservations of a customer, each limits row with the version that a new reservation must find unchanged. */
export interface SendReservations {
  /** Of all source profiles: limits follow the customer across merges. */
  readonly all: readonly SendReservation[];
  /** By source profile. */
  readonly limitRows: ReadonlyMap<string, Limits>;
  /** Sends that a claim has caused, in the whole hub and by address. */
  readonly hub: Limits;
  readonly byAddress: ReadonlyMap<Identifier, Limits>;
}

/** The interaction that has used up a value of a trigger's `once`. */
interface UsedOnce {
  readonly profileId: string;
  readonly interaction: string;
  readonly version: number;
}

export interface Notifications {
  get(address: NotificationMessage): Promise<Notification | undefined>;
  /** Many, in the order of their addresses. */
  getAll(addresses: readonly NotificationMessage[]): Promise<(Notification | undefined)[]>;
  /** Every decision about a customer, also under the source profiles that were merged into it, newest first. */
  ofCustomer(customer: Pick<Customer, 'sourceProfiles'>): Promise<Notification[]>;
  /**
   * Writes the row, with the next version (0: it is new); false where it is no longer at the given version. `place`: of the
   * customer in the series, which is written with it in the same way.
   */
  save(notification: Notification, place?: Place): Promise<boolean>;
  /** Who has used up a value of a trigger's `once` for a customer: by source profile. */
  usedBy(customer: Customer, trigger: string, value: string): Promise<readonly UsedOnce[]>;
  /** Uses up the value for an interaction, in place of `present`; false where somebody else did meanwhile. */
  useUp(address: NotificationMessage, value: string, present: UsedOnce | undefined): Promise<boolean>;
  /** `addresses`: those that the message could go to. */
  reservations(customer: Customer, addresses: readonly Identifier[]): Promise<SendReservations>;
  /** Writes the row together with the reservation; false when either changed in between. `place`: as in `save`. */
  reserve(
    notification: Notification,
    customer: Customer,
    present: SendReservations,
    reservation: SendReservation,
    place?: Place,
  ): Promise<boolean>;
}

/** Notifications are stored as long as interactions, from the time at which they were last due. */
export const notifications = (
  table: Table,
  hub: () => Promise<HubConfig>,
  now: () => number,
): Notifications => ({
  async get(address) {
    const [row] = await table.get([notificationKey(address)]);
    return row && notificationOf(row);
  },
  async getAll(addresses) {
    const keys = addresses.map(notificationKey);
    const rows = new Map((await table.get(keys)).map((row) => [keyText(row), notificationOf(row)]));
    return keys.map((key) => rows.get(keyText(key)));
  },
  async ofCustomer({ sourceProfiles }) {
    const found: Notification[] = [];
    for (const { profile } of sourceProfiles)
      for await (const row of table.query(profilePartition(profile.id), {
        beginsWith: sortKeyPrefix.notification,
      }))
        found.push(notificationOf(row));
    return found.sort((one, other) => (one.at < other.at ? 1 : -1));
  },
  async save(notification, place) {
    const write = notificationWrite(notification, await hub());
    if (place !== undefined) return table.transact([write, placeWrite(place, await hub())]);
    // A row that is written alone costs half. Whether the only answer to it was lost is then found out by reading the row
    // again, which a send in progress cannot do: only the token of a transaction says that it was this function's own.
    return notification.status === 'sending' ? table.transact([write]) : table.put(write.put, write.if);
  },
  async usedBy({ sourceProfiles }, trigger, value) {
    const rows = await table.get(sourceProfiles.map(({ profile }) => onceKey(profile.id, trigger, value)));
    return rows.map((row) => ({ profileId: profileIdOf(row), ...onceOf(row) }));
  },
  async useUp({ profileId, trigger, interaction }, value, present) {
    const { retention } = await hub();
    const expiresAt = Math.floor((now() + retention.interactions) / 1000);
    const version = present?.profileId === profileId ? present.version : 0;
    const write = versioned(onceKey(profileId, trigger, value), { interaction, version, expiresAt });
    return table.put(write.put, write.if);
  },
  async reservations(customer, addresses) {
    const ids = customer.sourceProfiles.map(({ profile }) => profile.id);
    const keys = [
      ...ids.map(limitsKey),
      ...addresses.map(addressLimitsKey),
      ...(customer.guest ? [hubClaimsKey] : []),
    ];
    const found = new Map((await table.get(keys)).map((row) => [keyText(row), limitsRowOf(row)]));
    const limitsOf = (key: Key): Limits => found.get(keyText(key)) ?? { version: 0, reservations: [] };
    const limitRows = new Map(ids.map((id) => [id, limitsOf(limitsKey(id))] as const));
    return {
      limitRows,
      all: [...limitRows.values()].flatMap(({ reservations }) => reservations),
      hub: limitsOf(hubClaimsKey),
      byAddress: new Map(addresses.map((one) => [one, limitsOf(addressLimitsKey(one))])),
    };
  },
  reserve: async (notification, customer, present, reservation, place) => {
    const { hub: hubClaims, byAddress } = present;
    return table.transact([
      notificationWrite(notification, await hub()),
      ...(place === undefined ? [] : [placeWrite(place, await hub())]),
      ...limitWrites(customer, present, reservation),
      ...(notification.causeOnly ? (notification.addresses ?? []) : []).map((address) =>
        reserved(addressLimitsKey(address), byAddress.get(address), reservation),
      ),
      ...(customer.guest ? [reserved(hubClaimsKey, hubClaims, reservation)] : []),
    ]);
  },
});

/** The row of every source profile, so that a merge in between is noticed; the reservation is the customer's. */
export const limitWrites = (
  customer: Pick<Customer, 'id'>,
  { limitRows }: Pick<SendReservations, 'limitRows'>,
  reservation: SendReservation,
): Write[] =>
  [...limitRows].map(([id, { version, reservations }]) =>
    versioned(limitsKey(id), {
      version,
      reservations: id === customer.id ? addReservation(reservations, reservation) : reservations,
    }),
  );

type Replacement = Extract<Write, { put: unknown }>;

const reserved = (key: Key, limits: Limits | undefined, reservation: SendReservation): Write => {
  const { version, reservations } = limits ?? { version: 0, reservations: [] };
  return versioned(key, { version, reservations: addReservation(reservations, reservation) });
};

/** Stored as long as interactions, from the end of its wait. */
export const placeWrite = (place: Place, { retention }: HubConfig): Replacement => {
  const last = Date.parse(place.until ?? place.endedAt ?? place.since);
  const expiresAt = Math.floor((last + retention.interactions) / 1000);
  return versioned(seriesKey(place.profileId, place.trigger), { ...place, expiresAt });
};

const notificationWrite = (notification: Notification, { retention }: HubConfig): Replacement => {
  const { at, until = at } = notification;
  const expiresAt = Math.floor((Date.parse(until) + retention.interactions) / 1000);
  return versioned(notificationKey(notification), { ...notification, expiresAt });
};

/** A row of version 0 is new; any other must be at the version that was read. */
const versioned = (
  key: Key,
  row: Readonly<Record<string, unknown>> & { readonly version: number },
): Replacement => ({
  put: { ...key, ...row, version: row.version + 1 },
  if: row.version === 0 ? { absent: true } : { version: row.version },
});
