import { parseArgs } from 'node:util';
import { CUSTOMERS_PER_PAGE, type CustomerSummary, listCustomers } from '../client/customers.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { formatSeconds } from '../terminal/duration.ts';
import { sanitize } from '../terminal/sanitize.ts';

const options = {
  recent: { type: 'boolean', default: false },
  waiting: { type: 'boolean', default: false },
  name: { type: 'string' },
  limit: { type: 'string', default: '50' },
} as const;

/** Prints up to `--limit` customers. `now`: epoch milliseconds. Returns undefined where the arguments are wrong. */
export const printCustomers = async (args: readonly string[], now: number): Promise<number | undefined> => {
  const { values } = parseArgs({ args: [...args], options });
  const { recent, waiting, name } = values;
  const limit = Number(values.limit);
  const lists = [recent, waiting, name !== undefined].filter(Boolean).length;
  if (lists > 1 || !Number.isInteger(limit) || limit < 1) return undefined;
  const hub = hubOfEnvironment();
  const list = name !== undefined ? { name } : waiting ? 'waiting' : 'recent';
  const found: CustomerSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await listCustomers(hub, list, Math.min(CUSTOMERS_PER_PAGE, limit - found.length), cursor);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined && found.length < limit);
  for (const line of customerTable(found, now)) console.log(line);
  return 0;
};

/** One line for each customer: name, first identifier, state of the conversation, channels, id. `now`: epoch milliseconds. */
export const customerTable = (customers: readonly CustomerSummary[], now: number): string[] => {
  if (customers.length === 0) return ['No customers.'];
  const rows = customers.map(({ id, name, identifiers, conversation }) => [
    sanitize(name?.full ?? [name?.first, name?.last].filter((part) => part !== undefined).join(' ')),
    sanitize(identifiers[0] ?? ''),
    conversation === undefined ? '' : conversationState(conversation, now),
    conversation?.channels.join(' ') ?? '',
    id,
  ]);
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

const conversationState = (
  { state, lastAt, waitingSince }: NonNullable<CustomerSummary['conversation']>,
  now: number,
): string => {
  const since = (at: string): string => formatSeconds(Math.max(0, (now - Date.parse(at)) / 1000));
  return waitingSince === undefined ? `${state}, ${since(lastAt)} ago` : `waiting for ${since(waitingSince)}`;
};
