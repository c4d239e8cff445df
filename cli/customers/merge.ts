import { parseArgs } from 'node:util';
import { hubOfEnvironment } from '../client/environment.ts';
import { type MergePreview, previewMerge } from '../client/merges.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { runCommand } from './run-command.ts';

const options = {
  reason: { type: 'string' },
  by: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const;

/** `hub customer merge KEEP OTHER --reason TEXT [--dry-run]`: merges two customers by a person's decision. */
export const mergeCustomers = async (args: readonly string[]): Promise<number | undefined> => {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [keep, other] = positionals;
  if (keep === undefined || other === undefined) return undefined;
  if (values['dry-run']) {
    const preview = await previewMerge(hubOfEnvironment(), keep, other);
    for (const line of previewLines(preview)) console.log(line);
    return 0;
  }
  const { reason, by = currentUser() } = values;
  if (reason === undefined || reason.trim() === '')
    throw badArguments(
      'Say why the two are one person: hub customer merge KEEP OTHER --reason TEXT. The ledger keeps the reason.',
    );
  return runCommand({ command: 'merge', keep, other, reason, by });
};

const previewLines = ({ keep, other, merged, warning, crm, guests }: MergePreview): string[] => {
  const line = (name: string, value: unknown, from: string): string =>
    `  ${name.padEnd(20)} ${sanitize(typeof value === 'string' ? value : JSON.stringify(value))}  (${from})`;
  return [
    `Nothing is written. ${sanitize(other.id)} would become part of ${sanitize(keep.id)}:`,
    ...Object.entries(merged.fields).map(([name, { value, from }]) => line(sanitize(name), value, from)),
    ...merged.identifiers.map(({ value, from }) => line('identifier', value, from)),
    ...Object.entries(merged.consent).map(([channel, { value, from }]) =>
      line(`consent.${sanitize(channel)}`, value, from),
    ),
    ...merged.closed.map(({ value, from }) => line('closed', value, from)),
    ...crm.map(({ crm: system, contact, of, effect }) => line(sanitize(system), `${contact}: ${effect}`, of)),
    ...guests.map(({ id, claimed, of }) => line('guest', `${id} ${claimed.join(' ')}`, of)),
    ...(warning === undefined ? [] : [sanitize(warning)]),
  ];
};
