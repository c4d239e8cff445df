import * as z from 'zod';
import { Category } from '../../core/consent.ts';
import type { Customer } from '../../core/customer.ts';
import { type Claimed, withClaim } from '../../core/limits.ts';
import { Notification, type NotificationMessage } from '../../core/notification.ts';
import type { Key, Table, Write } from './table.ts';

const Limits = z.object({
  version: z.int(),
  claims: z.array(z.object({ trigger: z.string(), category: Category.optional(), at: z.number() })),
});

export const notificationKey = ({ half, trigger, interaction }: NotificationMessage): Key => ({
  pk: `customer#${half}`,
  sk: `notification#${trigger}#${interaction}`,
});
const limitsKey = (half: string): Key => ({ pk: `customer#${half}`, sk: 'limits' });

/** What a customer was sent, by half, each with the version that a claim must find unchanged. */
export interface Claims {
  /** Over all halves: limits follow the person across merges. */
  readonly all: readonly Claimed[];
  readonly halves: ReadonlyMap<string, z.infer<typeof Limits>>;
}

export interface Notifications {
  get(address: NotificationMessage): Promise<Notification | undefined>;
  /** Writes the row if it is still at the version given (0: not there yet); false if not. */
  save(notification: Notification): Promise<boolean>;
  claims(customer: Customer): Promise<Claims>;
  /** Writes the row together with the claim; false when either changed in between. */
  claim(notification: Notification, customer: Customer, claims: Claims, claimed: Claimed): Promise<boolean>;
}

export const notifications = (table: Table): Notifications => ({
  async get(address) {
    const [row] = await table.get([notificationKey(address)]);
    if (row === undefined) return undefined;
    const { pk: _pk, sk: _sk, ...rest } = row;
    return Notification.parse(rest);
  },
  save: (notification) => table.transact([write(notificationKey(notification), notification)]),
  async claims(customer) {
    const ids = customer.halves.map(({ profile }) => profile.id);
    const rows = await table.get(ids.map(limitsKey));
    const found = new Map(rows.map((row) => [row.pk, Limits.parse(row)]));
    const halves = new Map(
      ids.map((id) => [id, found.get(limitsKey(id).pk) ?? { version: 0, claims: [] }] as const),
    );
    return { halves, all: [...halves.values()].flatMap(({ claims }) => claims) };
  },
  // Every half's row is written, so that a claim of a half that took no notice of a merge fails and is decided anew.
  claim: (notification, customer, { halves }, claimed) =>
    table.transact([
      write(notificationKey(notification), notification),
      ...[...halves].map(([id, limits]) =>
        write(limitsKey(id), {
          version: limits.version,
          claims: id === customer.id ? withClaim(limits.claims, claimed) : limits.claims,
        }),
      ),
    ]),
});

/** A row of version 0 is new; any other must still be what was read. */
const write = (key: Key, row: Readonly<Record<string, unknown>> & { readonly version: number }): Write => ({
  put: { ...key, ...row, version: row.version + 1 },
  if: row.version === 0 ? { absent: true } : { version: row.version },
});
