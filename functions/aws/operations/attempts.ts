import { HubError } from '../../../core/errors.ts';
import { attemptKey, attemptMessageOf } from '../../contracts/keys.ts';
import { log } from '../../contracts/log.ts';
import type { NoteAttempt } from '../../contracts/ports/attempts.ts';
import { Attempt } from '../../contracts/rows/operations.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';

/** As long as a queue keeps a message, and a day. */
const KEPT_SECONDS = 15 * 86_400;

/** Writes the reason beside the queue, which has no place for it. What cannot be written is logged, and the message comes again anyway. */
export const attempts =
  (runtime: Runtime, table: Table): NoteAttempt =>
  async ({ messageId }, error) => {
    const expiresAt = Math.floor(runtime.now() / 1000) + KEPT_SECONDS;
    try {
      await table.put({ ...attemptKey(messageId), ...attemptOf(error), expiresAt });
    } catch (fault) {
      log('warn', 'unsaved-reason', { message: messageId }, fault);
    }
  };

/** The last attempts of messages, by message; those that never said why are left out. */
export const attemptsOf = async (
  table: Table,
  messages: readonly string[],
): Promise<ReadonlyMap<string, Attempt>> => {
  const rows = await table.get(messages.map(attemptKey));
  return new Map(rows.map((row) => [attemptMessageOf(row), Attempt.parse(row)]));
};

/** An error that is not ours is told by its kind and place alone: its message may quote what a customer wrote. */
export const attemptOf = (error: unknown): Attempt => {
  if (error instanceof HubError) return { code: error.code, reason: error.message };
  if (!(error instanceof Error))
    return { code: 'unexpected-error', reason: `Something was thrown that is no error.` };
  const frame = error.stack
    ?.split('\n')
    .find((line) => line.startsWith('    at '))
    ?.trim();
  const place = frame === undefined ? '' : ` ${frame.replace(/\(.*\/(?=[^/]+\))/u, '(')}`;
  return { code: 'unexpected-error', reason: `The function failed with ${error.name}${place}.` };
};
