import * as z from 'zod';
import type { HubError } from '../../../core/errors.ts';
import { refusedKey } from '../../contracts/keys.ts';
import { seenOf } from '../../contracts/rows/interactions.ts';
import { RefusedCommand } from '../../contracts/rows/operations.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';

/** The outcome of a command. `waiting`: it is not executed yet, or there is no such command. */
export const CommandOutcome = z.discriminatedUnion('status', [
  z.object({ status: z.literal('waiting') }),
  /** `customers`: the source profiles that it changed. */
  z.object({ status: z.literal('done'), customers: z.array(z.string()) }),
  z.object({ status: z.literal('refused'), code: z.string(), reason: z.string() }),
]);
export type CommandOutcome = z.infer<typeof CommandOutcome>;

/** Callers ask soon after they gave a command. The failure with the same reason is stored longer. */
const RETENTION_SECONDS = 7 * 86_400;

export interface CommandOutcomes {
  /** Strongly consistent. */
  of(command: string): Promise<CommandOutcome>;
  /** Stores why a command cannot be executed. */
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
    // A command that was refused first and succeeded in a replay is done.
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
    const expiresAt = Math.floor(runtime.now() / 1000) + RETENTION_SECONDS;
    await table.put({ ...refusedKey(command), code, reason, expiresAt });
  },
});
