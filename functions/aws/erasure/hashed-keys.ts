import * as z from 'zod';
import { hmac } from '../../../core/webhooks/signature.ts';
import { erasedKey, type Key, seenKey } from '../../contracts/keys.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { readSecret } from '../clients/secret.ts';

const Secret = z.object({ keys: z.string().min(16) });

/**
 * The keys of what outlives an erasure. They are hashes under a secret of their own, so that nobody who has the table
 * alone can ask it whether a person or a message was ever known.
 */
export interface HashedKeys {
  /** The row that says whether an interaction or a command was seen, before an erasure and after it. */
  seenKey(id: string): Key;
  /** The row that is left of an identifier whose owner was erased. */
  erasedKey(identifier: string): Key;
  /** A person in a receipt, by the identifier that named them. */
  personOf(identifier: string): string;
}

/** Built from the secret `<hub>/hashed-keys`, which never changes: under another key nothing would be known again. */
export const hashedKeysLoader = (runtime: Runtime): (() => Promise<HashedKeys>) => {
  const secret = readSecret(runtime, Number.POSITIVE_INFINITY);
  return async () => hashedKeysUnder(Secret.parse(await secret(`${runtime.env['HUB']}/hashed-keys`)).keys);
};

// What is hashed is signed with its purpose, so that rows of two kinds can never be compared.
export const hashedKeysUnder = (key: string): HashedKeys => ({
  seenKey: (id) => seenKey(hmac('sha256', key, 'base64url', 'seen.', id)),
  erasedKey: (identifier) => erasedKey(hmac('sha256', key, 'base64url', 'erased.', identifier)),
  personOf: (identifier) => hmac('sha256', key, 'base64url', 'person.', identifier),
});
