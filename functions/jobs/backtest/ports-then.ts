import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { addReservation, type SendReservation } from '../../../core/triggers/limits.ts';
import { customerAsOf } from '../../../core/triggers/why/as-of.ts';
import type { DecisionPorts } from '../../aws/triggers/decide-without-effect.ts';
import type { History, StoredInteraction } from '../../contracts/ports/history.ts';

/** What decisions of the past read: the stored data of now. */
export type StoredPorts = Omit<DecisionPorts, 'history' | 'now'> & {
  readonly history: Pick<History, 'timeline' | 'answers'>;
};

/** What a trigger would have sent. */
export interface Simulated {
  /** `addresses`: those that the customer does not own. */
  reserve(customer: Customer, addresses: readonly Identifier[], reservation: SendReservation): void;
  to(customer: Customer): readonly SendReservation[];
  toAddress(address: Identifier): readonly SendReservation[];
  toGuests(): readonly SendReservation[];
}

/** Keeps what a trigger would have sent, as the rows of limits keep what it sends. */
export const simulated = (): Simulated => {
  const byKey = new Map<string, readonly SendReservation[]>();
  const of = (key: string): readonly SendReservation[] => byKey.get(key) ?? [];
  return {
    reserve({ id, guest }, addresses, reservation) {
      const keys = [
        `customer ${id}`,
        ...addresses.map((one) => `address ${one}`),
        ...(guest ? ['guests'] : []),
      ];
      for (const key of keys) byKey.set(key, addReservation(of(key), reservation));
    },
    to: ({ id }) => of(`customer ${id}`),
    toAddress: (address) => of(`address ${address}`),
    toGuests: () => of('guests'),
  };
};

const DAY_MS = 86_400_000;

/**
 * What a decision about a trigger reads, as it was at `now`: history that had arrived, what others had sent, what it had sent
 * itself before `from`, and what it would have sent since. All in epoch milliseconds.
 */
export const portsThen = (
  ports: StoredPorts,
  { trigger, from, own }: { readonly trigger: string; readonly from: number; readonly own: Simulated },
  /** The customer at `now`. */
  then: Customer,
  now: number,
): DecisionPorts => {
  const at = instant(now);
  const wasSent = (one: SendReservation): boolean =>
    one.at <= now && (one.trigger !== trigger || one.at < from);
  return {
    hub: ports.hub,
    now: () => now,
    history: {
      timeline: (customer, range) =>
        arrivedBy(ports.history.timeline(customer, { ...range, upTo: instant(now + DAY_MS) }), at),
    },
    guests: {
      async ownerFor(_customer, cause) {
        const owner = await ports.guests.ownerFor(then, cause);
        return owner.id === then.id ? then : customerAsOf(owner, await ports.history.answers(owner), [], at);
      },
    },
    async addresses(...asked) {
      const found = await ports.addresses(...asked);
      const addresses = [...found.addresses].map(([address, { mute, optIn, ...state }]) => {
        const claims = { ...(mute && mute.at <= at && { mute }), ...(optIn && optIn.at <= at && { optIn }) };
        return [address, { ...state, ...claims }] as const;
      });
      return { ...found, addresses: new Map(addresses) };
    },
    async reservations(customer, addresses) {
      const { all, hub, byAddress, ...rest } = await ports.reservations(customer, addresses);
      return {
        ...rest,
        all: [...all.filter(wasSent), ...own.to(customer)],
        hub: { ...hub, reservations: [...hub.reservations.filter(wasSent), ...own.toGuests()] },
        byAddress: new Map(
          [...byAddress].map(([address, limits]) => [
            address,
            { ...limits, reservations: [...limits.reservations.filter(wasSent), ...own.toAddress(address)] },
          ]),
        ),
      };
    },
  };
};

async function* arrivedBy(
  timeline: AsyncIterable<StoredInteraction>,
  at: string,
): AsyncGenerator<StoredInteraction> {
  for await (const past of timeline) if (past.receivedAt <= at) yield past;
}
