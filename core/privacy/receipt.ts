import * as z from 'zod';
import { Instant } from '../interaction/interaction.ts';
import { ReceiptKey, signatureFault, signContent } from './signature.ts';

/** What was taken away in one place, and what could not be. */
export const ReceiptSystem = z.strictObject({
  system: z.string(),
  /** What was looked for there. */
  what: z.string(),
  /** How many were found and are gone. */
  count: z.int().nonnegative(),
  doneAt: Instant,
  /** What stays there, why, and until when. */
  left: z.array(z.string()),
});
export type ReceiptSystem = z.infer<typeof ReceiptSystem>;

/** The proof of an erasure. It names the person only as a hash that the hub alone can make. */
export const Receipt = z.strictObject({
  format: z.literal('tributary-erasure-1'),
  hub: z.string(),
  erasure: z.string(),
  person: z.string(),
  askedAt: Instant,
  by: z.string(),
  finishedAt: Instant,
  systems: z.array(ReceiptSystem),
});
export type Receipt = z.infer<typeof Receipt>;

/** A receipt as it is handed out: to be read, and beside it the same as a compact JWS (RFC 7515) with its key. */
export const SignedReceipt = z.strictObject({ receipt: Receipt, key: ReceiptKey, jws: z.string() });
export type SignedReceipt = z.infer<typeof SignedReceipt>;

export const signReceipt = (content: Receipt, secret: string): SignedReceipt => {
  const receipt = Receipt.parse(content);
  return { receipt, ...signContent(receipt, receipt.format, secret) };
};

/** Why a receipt is not to be believed; undefined where it is. Whether its key is the hub's is for the reader to compare. */
export const receiptFault = ({ receipt, ...signature }: SignedReceipt): string | undefined =>
  signatureFault(Receipt.parse(receipt), signature);
