import { parseArgs } from 'node:util';
import { badArguments } from '../terminal/bad-arguments.ts';
import { currentUser } from '../terminal/user.ts';
import { runCommand } from './run-command.ts';

const options = { reason: { type: 'string' }, by: { type: 'string' } } as const;

/** `hub customer merge KEEP OTHER --reason TEXT`: merges two customers by a person's decision. */
export const mergeCustomers = async (args: readonly string[]): Promise<number | undefined> => {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [keep, other] = positionals;
  if (keep === undefined || other === undefined) return undefined;
  const { reason, by = currentUser() } = values;
  if (reason === undefined || reason.trim() === '')
    throw badArguments(
      'Say why the two are one person: hub customer merge KEEP OTHER --reason TEXT. The ledger keeps the reason.',
    );
  return runCommand({ command: 'merge', keep, other, reason, by });
};
