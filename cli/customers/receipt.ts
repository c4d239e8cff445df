import { readFileSync } from 'node:fs';
import { receiptFault, SignedReceipt } from '../../core/privacy/receipt.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize } from '../terminal/sanitize.ts';

/** Prints what an erasure removed from each system, and what remains there and why. */
export const printReceipt = ({ receipt }: SignedReceipt): void => {
  for (const { system, what, count, left } of receipt.systems) {
    console.log(`${sanitize(system).padEnd(14)} ${String(count).padStart(6)}  ${sanitize(what)}`);
    for (const one of left) console.log(`${' '.repeat(23)}remains: ${sanitize(one)}`);
  }
};

/** `hub customer receipt FILE`: verifies the signature of a receipt. Returns 1 where it is not valid. */
export const checkReceipt = ([file]: readonly string[]): number => {
  if (file === undefined) throw badArguments('Name the file: hub customer receipt FILE.');
  const signed = SignedReceipt.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  const fault = signed.success ? receiptFault(signed.data) : 'The file is not a receipt of an erasure.';
  if (!signed.success || fault !== undefined) {
    console.error(`The receipt is not valid: ${fault}`);
    return 1;
  }
  const { receipt, key } = signed.data;
  console.log(
    `Signed with the key ${sanitize(key.kid)}. Compare it with the keys of the hub: GET /erasures/keys.`,
  );
  console.log(
    `Erasure ${sanitize(receipt.erasure)} of the hub ${sanitize(receipt.hub)}, requested by ${sanitize(receipt.by)} at ${receipt.askedAt}, finished at ${receipt.finishedAt}.`,
  );
  printReceipt(signed.data);
  return 0;
};
