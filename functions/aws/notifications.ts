import * as z from 'zod';
import { Category } from '../../core/consent.ts';
import type { Customer } from '../../core/customer.ts';
import type { Claimed } from '../../core/decision.ts';
import { Notification, type NotificationMessage } from '../../core/notification.ts';
import type { Key, Table } from './table.ts';

const Limits = z.object({
  version: z.int(),
  claims: z.array(z.object({ trigger: z.string(), category: Category, at: z.number() })),
});

/** Claims older than this count for no limit that a trigger may have. */
const KEPT_MS = 366 * 86_400_000;

export const notificationKey = ({ half, trigger, interaction }: NotificationMessage): Key => ({
  pk: `customer#${half}`,
  sk: `notification#${trigger}#${interaction}`,
});
const limitsKey = (half: string): Key => ({ pk: `customer#${half}`, sk: 'limits' });

/** What a customer was sent, over all halves, and the version of the row that a claim must find unchanged. */
export interface Claims {
  readonly list: readonly Claimed[];
  readonly own: readonly Claimed[];
  readonly version: number;
}

export interface Notifications {
  get(address: NotificationMessage): Promise<Notification | undefined>;
  /** Writes the row if it is still at the version given (0: not there yet); false if not. */
  save(notification: Notification): Promise<boolean>;
  claims(customer: Customer): Promise<Claims>;
  /** Writes the row together with the claim; false when either changed in between. */
  claim(notification: Notification, customer: Customer, claims: Claims, claimed: Claimed): Promise<boolean>;
}

export const notifications = (table: Table): Notifications => {
  const write = (notification: Notification) => ({
    put: { ...notificationKey(notification), ...notification, version: notification.version + 1 },
    if: notification.version === 0 ? { absent: true as const } : { version: notification.version },
  });
  return {
    async get(address) {
      const [row] = await table.get([notificationKey(address)]);
      if (row === undefined) return undefined;
      const { pk: _pk, sk: _sk, ...rest } = row;
      return Notification.parse(rest);
    },
    save: (notification) => table.transact([write(notification)]),
    async claims(customer) {
      const rows = await table.get(customer.halves.map(({ profile }) => limitsKey(profile.id)));
      const parsed = rows.map((row) => ({ pk: row.pk, ...Limits.parse(row) }));
      const own = parsed.find(({ pk }) => pk === limitsKey(customer.id).pk);
      return {
        list: parsed.flatMap(({ claims }) => claims),
        own: own?.claims ?? [],
        version: own?.version ?? 0,
      };
    },
    claim(notification, customer, claims, claimed) {
      const kept = claims.own.filter(({ at }) => at > claimed.at - KEPT_MS);
      return table.transact([
        write(notification),
        {
          put: { ...limitsKey(customer.id), claims: [...kept, claimed], version: claims.version + 1 },
          if: claims.version === 0 ? { absent: true } : { version: claims.version },
        },
      ]);
    },
  };
};
