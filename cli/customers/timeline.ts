import { parseArgs } from 'node:util';
import * as z from 'zod';
import type { MessageStatus } from '../../core/interaction/relation.ts';
import type { HubConnection } from '../client/request.ts';
import { type Reference, type TimelineItem, timelineItems } from '../client/timeline.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';

/** Prints a customer's timeline, oldest first, with the options of `args`. Throws `HubError` `invalid-arguments`. */
export const printTimeline = async (
  hub: HubConnection,
  customerId: string,
  args: readonly string[],
): Promise<void> => {
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
    throw badArguments('--last takes a whole number, such as --last 20.');
  const filter = { channels: values.channel, kinds: values.kind, raw: values.raw };
  const print = (item: TimelineItem): void => {
    const lines = values.json ? [sanitizeJson(item)] : timelineLines(item);
    for (const line of lines) console.log(line);
  };
  if (last === undefined) {
    const all = timelineItems(hub, customerId, { ...filter, order: 'oldest' }, Number.POSITIVE_INFINITY);
    for await (const item of all) print(item);
    return;
  }
  const newest: TimelineItem[] = [];
  for await (const item of timelineItems(hub, customerId, { ...filter, order: 'newest' }, last))
    newest.push(item);
  for (const item of newest.slice(0, last).toReversed()) print(item);
};

const arrows: Readonly<Record<string, string>> = { inbound: '→', outbound: '←' };
const statusMarks: Readonly<Record<MessageStatus, string>> = {
  accepted: '·',
  sent: '✓',
  deferred: '… delayed',
  failed: '✗',
  delivered: '✓✓',
  read: '✓✓ read',
};

/** One interaction for a terminal: its line, then one line for each later event of the message. */
export const timelineLines = (item: TimelineItem): string[] => {
  const { occurredAt, channel, direction, kind, subject, text, attachments = [] } = item;
  const isPlainMessage = kind === 'message' || kind === 'echo';
  const words = [subject, text].flatMap((one) => (one === undefined ? [] : sanitize(one)));
  const files = attachments.map(({ name }) => `[${sanitize(name ?? 'file')}]`);
  const head = `${occurredAt} ${arrows[direction] ?? '·'} ${channel.padEnd(9)}`;
  const line = [
    item.proof ? 'unconfirmed' : '',
    isPlainMessage ? '' : kind,
    reportedStatus(item),
    changedRecord(item),
    ...(item.unsent ? [`${sanitize(item.unsent.trigger)}: ${sanitize(item.unsent.summary)}`] : []),
    ...words,
    ...files,
    ...countersOf(item),
  ];
  const indent = ' '.repeat(occurredAt.length + 3);
  return [
    [head, ...line.filter((part) => part !== '')].join(' '),
    ...detailsOf(item).map((detail) => `${indent}${detail}`),
  ];
};

/** The status of an item that is a status report itself, because its message is not known. */
const reportedStatus = ({ kind, properties }: TimelineItem): string => {
  const status = kind === 'delivery-status' || kind === 'call' ? properties?.['status'] : undefined;
  return typeof status === 'string' ? sanitize(status) : '';
};

/** Which record of a CRM somebody changed, and to what. */
const changedRecord = ({ kind, properties }: TimelineItem): string => {
  if (kind !== 'crm-record') return '';
  const { record, set, property, value } = CrmRecord.safeParse(properties).data ?? {};
  const changed = property === undefined ? set : { ...set, [property]: value };
  const values = Object.entries(changed ?? {}).map(([field, one]) => `${field} = ${shownValue(one)}`);
  return sanitize([record ?? '', values.join(', ')].filter((part) => part !== '').join(': '));
};

const CrmRecord = z.looseObject({
  record: z.string().optional().catch(undefined),
  set: z.record(z.string(), z.json()).optional().catch(undefined),
  property: z.string().optional().catch(undefined),
  value: z.json().optional(),
});

/** Values of one field may be listed, as those of a trigger's pattern are. */
const shownValue = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : Array.isArray(value)
      ? value.map(shownValue).join(' ')
      : JSON.stringify(value);

const countersOf = ({ status, opens, clicks }: TimelineItem): string[] => [
  ...(status ? [statusMarks[status.name]] : []),
  ...(opens === undefined ? [] : [`opened ${opens}×`]),
  ...(clicks === undefined ? [] : [`clicked ${clicks}×`]),
];

const detailsOf = (item: TimelineItem): string[] => {
  const { status, edited, deleted, complained, reactions = [], repliesTo, about } = item;
  const quote = ({ excerpt, kind, occurredAt }: Reference): string =>
    `“${sanitize(excerpt ?? kind)}” of ${occurredAt}`;
  const reason = status?.reason === undefined ? '' : `: ${sanitize(status.reason)}`;
  return [
    ...(repliesTo ? [`↳ reply to ${quote(repliesTo)}`] : []),
    ...(about ? [`↳ about ${quote(about)}`] : []),
    ...(edited ? [`✎ edited ${edited.at}: ${sanitize(edited.text ?? '(no text)')}`] : []),
    ...(deleted ? [`⌫ deleted ${deleted.at}${deleted.by === 'business' ? ' by the business' : ''}`] : []),
    ...(status?.failed ? [`✗ failed ${status.failed.at}${reason}`] : []),
    ...(complained ? [`✗ marked as spam ${complained.at}`] : []),
    ...reactions.map(({ by, emoji, at }) => `${sanitize(emoji)} by ${sanitize(by)}, ${at}`),
  ];
};
