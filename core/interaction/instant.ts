import * as z from 'zod';

/** An instant as ISO 8601 in UTC with exactly three decimals, so that instants sort as text. */
export const Instant = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-03-01T09:00:00Z' })
  .transform((text) => new Date(text).toISOString());
export type Instant = string;

/** Epoch milliseconds as an `Instant`. */
export const instant = (epochMilliseconds: number): Instant => new Date(epochMilliseconds).toISOString();
