import * as z from 'zod';
import { ProfileHints } from '../../interaction/interaction.ts';
import { Report } from '../../interaction/report.ts';
import { type Columns, identifierColumn, nameAfter, typedColumn } from './columns.ts';
import { Language, ListTimeZone, Traits, When } from './customer-list.ts';

/** A past interaction: a line of NDJSON, or the object of a CSV row. Its time is required. */
export const HistoryRow = Report.safeExtend({
  occurredAt: When,
  profile: ProfileHints.extend({
    language: Language.optional(),
    timeZone: ListTimeZone.optional(),
    traits: Traits.optional(),
  }).optional(),
  /** The hub's reason for an earlier refusal of the row; ignored. */
  refused: z.unknown().optional(),
});
export type HistoryRow = z.output<typeof HistoryRow>;

export const HISTORY_COLUMNS =
  'id, kind, channel, direction, occurredAt, email, phone, user-id, identifier.<type>, name, text, subject, refersTo, conversationId, property.<name>, property.<name>:number, property.<name>:boolean, profile.name, profile.name.first, profile.name.last, profile.language, profile.timeZone';

const historyPaths: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['id', 'kind', 'channel', 'direction', 'name', 'text', 'subject'].map((name) => [name, [name]]),
  ),
  occurredat: ['occurredAt'],
  refersto: ['refersTo'],
  conversationid: ['conversationId'],
  'profile.name': ['profile', 'name', 'full'],
  'profile.name.first': ['profile', 'name', 'first'],
  'profile.name.last': ['profile', 'name', 'last'],
  'profile.language': ['profile', 'language'],
  'profile.timezone': ['profile', 'timeZone'],
};

const verbatim: ReadonlySet<string> = new Set(['text', 'subject']);

/** The columns of a history file. */
export const historyColumns: Columns = (name) => {
  const path = historyPaths[name.toLowerCase()];
  if (path !== undefined) return { path, ...(verbatim.has(name.toLowerCase()) && { verbatim: true }) };
  const property = nameAfter(/^propert(?:y|ies)\./iu, name);
  return property === undefined ? identifierColumn(name) : typedColumn('properties', property);
};
