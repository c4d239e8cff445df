import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { MessageStatus } from '../../core/interaction/relation.ts';
import { call } from '../client/call.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';

const Reference = z.looseObject({ occurredAt: z.string(), kind: z.string(), excerpt: z.string().optional() });
const Told = z.looseObject({ at: z.string() });
const Item = z.looseObject({
  ...{ occurredAt: z.string(), channel: z.string(), direction: z.string(), kind: z.string() },
  text: z.string().optional(),
  subject: z.string().optional(),
  attachments: z.array(z.looseObject({ name: z.string().optional() })).optional(),
  properties: z.record(z.string(), z.json()).optional(),
  status: Told.extend({
    name: MessageStatus,
    failed: Told.optional(),
    reason: z.string().optional(),
  }).optional(),
  edited: Told.extend({ text: z.string().optional() }).optional(),
  deleted: Told.extend({ by: z.string() }).optional(),
  complained: Told.optional(),
  reactions: z.array(Told.extend({ by: z.string(), emoji: z.string() })).optional(),
  opens: z.number().optional(),
  clicks: z.number().optional(),
  repliesTo: Reference.optional(),
  about: Reference.optional(),
});
type Item = z.infer<typeof Item>;
const Page = z.object({ items: z.array(Item), next: z.string().optional() });

const MOST_PER_PAGE = 200;

/** Prints a person's timeline, oldest first, as far as it is asked for. Throws `HubError` `bad-arguments`. */
export const printTimeline = async (customer: string, args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      channel: { type: 'string', multiple: true, default: [] },
      kind: { type: 'string', multiple: true, default: [] },
      last: { type: 'string' },
      raw: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const last = values.last === undefined ? undefined : Number(values.last);
  if (last !== undefined && !(Number.isInteger(last) && last > 0))
    throw new HubError('bad-arguments', '--last takes a whole number, such as --last 20.', {
      retry: 'never',
    });
  const query = new URLSearchParams({ order: last === undefined ? 'oldest' : 'newest' });
  if (values.channel.length > 0) query.set('channel', values.channel.join(','));
  if (values.kind.length > 0) query.set('kind', values.kind.join(','));
  if (values.raw) query.set('fold', 'false');
  const print = (item: Item): void => {
    const lines = values.json ? [sanitizeJson(item)] : timelineLines(item);
    for (const line of lines) console.log(line);
  };
  if (last === undefined) {
    for await (const item of itemsOf(customer, query)) print(item);
    return;
  }
  const newest: Item[] = [];
  for await (const item of itemsOf(customer, query, last)) newest.push(item);
  for (const item of newest.toReversed()) print(item);
};

/** Page after page, at most so many. */
async function* itemsOf(
  customer: string,
  query: URLSearchParams,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Item> {
  let given = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined && given < most; ) {
    const asked = new URLSearchParams(query);
    asked.set('limit', String(Math.min(MOST_PER_PAGE, most - given)));
    if (cursor !== '') asked.set('cursor', cursor);
    const page: z.infer<typeof Page> = Page.parse(
      await call('GET', `/customers/${customer}/timeline?${asked}`),
    );
    given += page.items.length;
    yield* page.items;
    cursor = page.next;
  }
}

const arrows: Readonly<Record<string, string>> = { inbound: '→', outbound: '←' };
const ticks: Readonly<Record<MessageStatus, string>> = {
  accepted: '·',
  sent: '✓',
  deferred: '… delayed',
  failed: '✗',
  delivered: '✓✓',
  read: '✓✓ read',
};
const people: Readonly<Record<string, string>> = { customer: 'they', business: 'we' };

/** One interaction for a terminal: a line, and one more for each thing that became of it. */
export const timelineLines = (item: Item): string[] => {
  const { occurredAt, channel, direction, kind, subject, attachments = [] } = item;
  const isPlain = kind === 'message' || kind === 'echo';
  const files = attachments.map(({ name }) => `[${sanitize(name ?? 'file')}]`);
  const words = [subject, item.text].flatMap((text) => (text === undefined ? [] : sanitize(text)));
  const head = `${occurredAt} ${arrows[direction] ?? '·'} ${channel.padEnd(9)}`;
  const line = [isPlain ? '' : kind, statusWord(item), ...words, ...files, ...marksOf(item)];
  const below = ' '.repeat(occurredAt.length + 3);
  return [
    [head, ...line.filter((part) => part !== '')].join(' '),
    ...notesOf(item).map((note) => `${below}${note}`),
  ];
};

/** What a status says that stands for itself. */
const statusWord = ({ kind, properties }: Item): string => {
  const said = kind === 'delivery-status' || kind === 'call' ? properties?.['status'] : undefined;
  return typeof said === 'string' ? sanitize(said) : '';
};

const marksOf = ({ status, opens, clicks }: Item): string[] => [
  ...(status ? [ticks[status.name]] : []),
  ...(opens === undefined ? [] : [`opened ${opens}×`]),
  ...(clicks === undefined ? [] : [`clicked ${clicks}×`]),
];

const notesOf = (item: Item): string[] => {
  const { status, edited, deleted, complained, reactions = [], repliesTo, about } = item;
  const quoted = (one: z.infer<typeof Reference>): string =>
    `“${sanitize(one.excerpt ?? one.kind)}” of ${one.occurredAt}`;
  const why = status?.reason === undefined ? '' : `: ${sanitize(status.reason)}`;
  return [
    ...(repliesTo ? [`↳ to ${quoted(repliesTo)}`] : []),
    ...(about ? [`↳ about ${quoted(about)}`] : []),
    ...(edited ? [`✎ since ${edited.at}: ${sanitize(edited.text ?? 'without text')}`] : []),
    ...(deleted ? [`⌫ taken back ${deleted.at}${deleted.by === 'business' ? ' by us' : ''}`] : []),
    ...(status?.failed ? [`✗ failed ${status.failed.at}${why}`] : []),
    ...(complained ? [`✗ marked as spam ${complained.at}`] : []),
    ...reactions.map(({ by, emoji, at }) => `${sanitize(emoji)} ${people[by] ?? 'somebody'}, ${at}`),
  ];
};
