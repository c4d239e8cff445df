import { parseArgs } from 'node:util';
import * as z from 'zod';
import { call } from '../client/call.ts';
import { spanOf } from '../operations/figures.ts';
import { sanitize } from '../terminal/sanitize.ts';

const Item = z.looseObject({
  id: z.string(),
  name: z
    .looseObject({ full: z.string().optional(), first: z.string().optional(), last: z.string().optional() })
    .optional(),
  identifiers: z.array(z.string()),
  conversation: z
    .looseObject({
      ...{ state: z.string(), lastAt: z.string(), channels: z.array(z.string()) },
      waitingSince: z.string().optional(),
    })
    .optional(),
});
type Item = z.infer<typeof Item>;
const Page = z.object({ items: z.array(Item), next: z.string().optional() });

const options = {
  recent: { type: 'boolean', default: false },
  waiting: { type: 'boolean', default: false },
  name: { type: 'string' },
  limit: { type: 'string', default: '50' },
} as const;

/** `hub customer list …`: a page or more of customers, as many as asked for. Undefined where it is asked wrongly. */
export const printCustomers = async (args: readonly string[], now: number): Promise<number | undefined> => {
  const { values } = parseArgs({ args: [...args], options });
  const { recent, waiting, name } = values;
  const wanted = Number(values.limit);
  const asked = [recent, waiting, name !== undefined].filter(Boolean).length;
  if (asked > 1 || !Number.isInteger(wanted) || wanted < 1) return undefined;
  const list = name !== undefined ? `name=${encodeURIComponent(name)}` : waiting ? 'waiting' : 'recent';
  const found: Item[] = [];
  let cursor: string | undefined;
  do {
    const page: z.infer<typeof Page> = Page.parse(
      await call(
        'GET',
        `/customers?${list}&limit=${Math.min(100, wanted - found.length)}${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      ),
    );
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined && found.length < wanted);
  for (const line of customerTable(found, now)) console.log(line);
  return 0;
};

/** A line for each customer: who, how they can be reached, and how the talk with them stands. */
export const customerTable = (items: readonly Item[], now: number): string[] => {
  if (items.length === 0) return ['Nobody.'];
  const rows = items.map(({ id, name, identifiers, conversation }) => [
    sanitize(name?.full ?? [name?.first, name?.last].filter((part) => part !== undefined).join(' ')),
    sanitize(identifiers[0] ?? ''),
    conversation === undefined ? '' : stateOf(conversation, now),
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

const stateOf = ({ state, lastAt, waitingSince }: NonNullable<Item['conversation']>, now: number): string => {
  const since = (at: string): string => spanOf(Math.max(0, (now - Date.parse(at)) / 1000));
  return waitingSince === undefined ? `${state}, ${since(lastAt)} ago` : `waiting for ${since(waitingSince)}`;
};
