import { type Limit, LONGEST_WINDOW_MS } from '../config/duration.ts';
import type { Category } from '../consent/consent.ts';

/** A claim that counts against limits. */
export interface SendReservation {
  readonly trigger: string;
  /** Absent where the message went to colleagues: the caps are the customer's. */
  readonly category?: Category | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The claims in (now - window, now] that a limit counts. */
export const countReservations = (
  claims: readonly SendReservation[],
  { windowMs }: Limit,
  now: number,
  which: (claim: SendReservation) => boolean,
): number => claims.filter((claim) => claim.at > now - windowMs && claim.at <= now && which(claim)).length;

/** The row of a customer's claims stays well below what a row may weigh. */
const MOST_RESERVATIONS = 2000;

/** The claims of a customer with a new one, without those that count no more. */
export const addReservation = (
  claims: readonly SendReservation[],
  claim: SendReservation,
): SendReservation[] =>
  [...claims.filter(({ at }) => at > claim.at - LONGEST_WINDOW_MS), claim].slice(-MOST_RESERVATIONS);
