import * as z from 'zod';
import type { HubError } from '../../../core/errors.ts';
import { refusedKey } from '../../contracts/keys.ts';
import { seenOf } from '../../contracts/rows/interactions.ts';
import { RefusedCommand } from '../../contracts/rows/operations.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';

/** What became of a command: `waiting` until the queue has delivered it, which nobody can tell from never given. */
export const CommandOutcome = z.discriminatedUnion('status', [
  z.object({ status: z.literal('waiting') }),
  /** `customers`: the halves that it was about, where anything changed. */
  z.object({ status: z.literal('done'), customers: z.array(z.string()) }),
  z.object({ status: z.literal('refused'), code: z.string(), reason: z.string() }),
]);
export type CommandOutcome = z.infer<typeof CommandOutcome>;

/** Whoever gave a command asks soon; the failure that says the same is kept longer. */
const KEPT_SECONDS = 7 * 86_400;

export interface CommandOutcomes {
  of(command: string): Promise<CommandOutcome>;
  refuse(command: string, error: HubError): Promise<void>;
}

export const commandOutcomes = (
  runtime: Runtime,
  table: Table,
  loadHashedKeys: () => Promise<HashedKeys>,
): CommandOutcomes => ({
  async of(command) {
    const seenKey = (await loadHashedKeys()).seenKey(command);
    const found = await table.get([seenKey, refusedKey(command)]);
    const seen = found.find(({ pk }) => pk === seenKey.pk);
    // One that was refused and replayed once its cause was mended is done.
    if (seen) {
      const { profileIds = [], address } = seenOf(seen);
      return { status: 'done', customers: address ? [address.profileId] : profileIds };
    }
    const [refused] = found;
    if (refused === undefined) return { status: 'waiting' };
    const { code, reason } = RefusedCommand.parse(refused);
    return { status: 'refused', code, reason };
  },
  async refuse(command, { code, message: reason }) {
    const expiresAt = Math.floor(runtime.now() / 1000) + KEPT_SECONDS;
    await table.put({ ...refusedKey(command), code, reason, expiresAt });
  },
});
