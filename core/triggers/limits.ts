import { type Limit, LONGEST_WINDOW_MS } from '../config/duration.ts';
import type { Category } from '../consent/consent.ts';

/** A reservation that counts against limits. */
export interface SendReservation {
  readonly trigger: string;
  /** Of a message of a series; absent for its entry, and for other triggers. */
  readonly step?: string | undefined;
  /** Absent for a message to a team and for the entry of a series: caps count messages to the customer only. */
  readonly category?: Category | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The reservations in (now - window, now] that a limit counts. */
export const countReservations = (
  reservations: readonly SendReservation[],
  { windowMs }: Limit,
  now: number,
  which: (reservation: SendReservation) => boolean,
): number =>
  reservations.filter(
    (reservation) => reservation.at > now - windowMs && reservation.at <= now && which(reservation),
  ).length;

/** Combines two lists. A reservation in both counts once, such as one of a guest that is also stored for its address. */
export const mergeReservations = (
  some: readonly SendReservation[],
  others: readonly SendReservation[],
): SendReservation[] => {
  const keyOf = ({ trigger, at }: SendReservation): string => `${at} ${trigger}`;
  const left = new Map<string, number>();
  for (const one of some) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1);
  return [
    ...some,
    ...others.filter((one) => {
      const count = left.get(keyOf(one)) ?? 0;
      left.set(keyOf(one), count - 1);
      return count <= 0;
    }),
  ];
};

/** Keeps the row of a customer's reservations below DynamoDB's item limit of 400 KB. */
const MAX_RESERVATIONS = 2000;

/** Adds a reservation, and removes those outside the longest window. */
export const addReservation = (
  reservations: readonly SendReservation[],
  reservation: SendReservation,
): SendReservation[] =>
  [...reservations.filter(({ at }) => at > reservation.at - LONGEST_WINDOW_MS), reservation].slice(
    -MAX_RESERVATIONS,
  );
