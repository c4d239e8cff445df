import { HubError } from '../../../core/errors.ts';
import { attemptKey, attemptMessageOf } from '../../contracts/keys.ts';
import { log } from '../../contracts/log.ts';
import type { NoteAttempt } from '../../contracts/ports/attempts.ts';
import { type Attempt, attemptRowOf } from '../../contracts/rows/operations.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';

/** One day longer than a queue stores a message. */
const RETENTION_SECONDS = 15 * 86_400;

/** Stores why a try of a message failed, because a queue cannot. A reason that cannot be stored is logged; never rejects. */
export const attempts =
  (runtime: Runtime, table: Table): NoteAttempt =>
  async ({ messageId }, error) => {
    const expiresAt = Math.floor(runtime.now() / 1000) + RETENTION_SECONDS;
    try {
      await table.put({ ...attemptKey(messageId), ...attemptOf(error), expiresAt });
    } catch (fault) {
      log('warn', 'unsaved-reason', { message: messageId }, fault);
    }
  };

/** Why the last tries of messages failed, by message id; messages without a stored reason are absent. */
export const attemptsOf = async (
  table: Table,
  messages: readonly string[],
): Promise<ReadonlyMap<string, Attempt>> => {
  const rows = await table.get(messages.map(attemptKey));
  return new Map(rows.map((row) => [attemptMessageOf(row), attemptRowOf(row)]));
};

/** A frame of a stack with the name of its file in place of its path. */
const withoutFolders = (frame: string): string => {
  const [open, slash] = [frame.indexOf('('), frame.lastIndexOf('/')];
  return open < 0 || slash < open ? frame : frame.slice(0, open + 1) + frame.slice(slash + 1);
};

/** The reason to store for an error. Of an unexpected one only name and place: its message may quote a customer. */
export const attemptOf = (error: unknown): Attempt => {
  if (error instanceof HubError) return { code: error.code, reason: error.message };
  if (!(error instanceof Error))
    return { code: 'unexpected-error', reason: 'The function threw a value that is not an error.' };
  const frame = error.stack
    ?.split('\n')
    .find((line) => line.startsWith('    at '))
    ?.trim();
  const location = frame === undefined ? '' : ` ${withoutFolders(frame)}`;
  return { code: 'unexpected-error', reason: `The function failed with ${error.name}${location}.` };
};
