import * as z from 'zod';
import type { Call, Changes, ChangesSince } from '../../../core/crm/connector.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { matches, parsePattern } from '../../../core/triggers/pattern/index.ts';
import { heldWithSource } from './held.ts';
import { notMapped, type Target } from './read.ts';
import { placeOf } from './templates.ts';

/** How far the changes of an object were read: in the middle of a listing its next page, and the latest change so far. */
const Cursor = z.strictObject({ since: Instant, page: z.string().optional(), latest: Instant.optional() });
type Cursor = z.infer<typeof Cursor>;

/**
 * Reads one page of the records that changed. Each is compared again with the time up to which the hub has read, so a CRM may
 * list too many; the time moves on only at the end of a listing, so that its pages may have any order.
 */
export const changes = async (
  target: Target,
  { fields, cursor: text, from, until }: ChangesSince,
  call: Call,
): Promise<Changes> => {
  const { api, object, section } = target;
  const { changes: request, record: rules } = section;
  if (request === undefined) throw notMapped(target, 'changes');
  const cursor: Cursor = text === undefined ? { since: from } : Cursor.parse(JSON.parse(text));
  const variables = { object, fields, since: cursor.since, until, cursor: cursor.page };
  const answer = await api.ask({ request, variables, about: { object } }, call);
  const listed = heldWithSource(answer, section, request.records, fields);
  const changed = listed.filter(({ held }) => held.modifiedAt > cursor.since && held.modifiedAt <= until);
  const gone = rules.gone === undefined ? undefined : parsePattern(rules.gone);
  const isGone = ({ source }: (typeof listed)[number]): boolean =>
    gone !== undefined && matches(gone, source);
  const latest = [cursor.latest ?? cursor.since, ...changed.map(({ held }) => held.modifiedAt)]
    .toSorted()
    .at(-1);
  const page =
    request.next === undefined ? undefined : placeOf(request.next, { ...answer, cursor: cursor.page });
  const hasMore = page !== undefined && page !== null && page !== false && page !== '' && listed.length > 0;
  const next: Cursor = hasMore
    ? { since: cursor.since, page: String(page), ...(latest !== undefined && { latest }) }
    : { since: latest ?? cursor.since };
  return {
    records: changed.filter((one) => !isGone(one)).map(({ held }) => held),
    deleted: changed.filter(isGone).map(({ held: { id, modifiedAt } }) => ({ id, at: modifiedAt })),
    next: JSON.stringify(next),
    hasMore,
  };
};
