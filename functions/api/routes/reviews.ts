import * as z from 'zod';
import type { Customer } from '../../../core/identity/customer.ts';
import { explainReview } from '../../../core/identity/decisions/explain.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { Review } from '../../../core/identity/ledger.ts';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import type { OpenReview, Reviews } from '../../aws/customers/reviews.ts';
import type { History, StoredInteraction } from '../../contracts/ports/history.ts';
import { problem } from '../../middleware/http.ts';
import { Cursor, cursorOf, json, pathParameter, type Routes, withQuery } from './route.ts';

export interface ReviewPorts {
  readonly reviews: Reviews;
  readonly history: History;
  /** The interactions with these ids, as far as they are stored. */
  readonly interactions: (ids: readonly string[]) => Promise<ReadonlyMap<string, StoredInteraction>>;
  /** The source profiles that own identifiers; those without an owner are absent. */
  readonly owners: (identifiers: readonly Identifier[]) => Promise<ReadonlyMap<Identifier, string>>;
}

const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: Cursor.optional(),
});

/** The characters of a cause's text that are shown. */
const EXCERPT = 300;

/** What waits for a person's decision, with what is needed to decide it. */
export const reviewRoutes: Routes<ReviewPorts> = {
  'GET /reviews': withQuery(Page, async ({ limit, cursor }, _event, ports) => {
    const { items, hasMore } = await ports.reviews.page(limit, cursor);
    const last = hasMore ? items.at(-1) : undefined;
    return json(200, { items: await views(items, ports), ...(last && { next: cursorOf(last.id) }) });
  }),
  'GET /reviews/{id}': async (event, ports) => {
    const found = await ports.reviews.get(pathParameter(event, 'id'));
    const [item] = found ? await views([found], ports) : [];
    return item === undefined
      ? problem(404, 'unknown-review', 'There is no open review with this id: it may be resolved already.')
      : json(200, item);
  },
};

/** The reviews of one page: the reads are the same whatever their number, and none is made for a single one. */
const views = async (items: readonly OpenReview[], ports: ReviewPorts): Promise<object[]> => {
  const causes = await ports.interactions(
    items.flatMap(({ review }) => (review.type === 'pair' ? [review.cause] : [])),
  );
  const owners = await ports.owners(items.flatMap(({ review }) => identifiersOf(review)));
  const customers = await ports.history.customers([
    ...new Set([...items.flatMap(({ review }) => profileIdsOf(review)), ...owners.values()]),
  ]);
  return items.map(({ id, review }) => {
    const concerned = [
      ...profileIdsOf(review),
      ...identifiersOf(review).flatMap((one) => owners.get(one) ?? []),
    ].flatMap((profileId) => customers.get(profileId) ?? []);
    const sides = [...new Map(concerned.map((one) => [one.id, one])).values()];
    const cause = review.type === 'pair' ? causes.get(review.cause) : undefined;
    const identifier = review.type === 'request' ? askingIdentifier(review, owners) : undefined;
    return {
      id,
      ...review,
      openedAt: 'receivedAt' in review ? review.receivedAt : review.openedAt,
      why: explainReview(review, cause),
      customers: sides.map(sideOf),
      ...(cause && { interaction: causeOf(cause), guests: guestsOf(cause, sides) }),
      ...(identifier !== undefined && { identifier }),
      next: commandsOf(id, review, identifier),
    };
  });
};

const profileIdsOf = (review: Review): readonly string[] => {
  if (review.type === 'pair') return review.profileIds;
  if (review.type === 'record') return [review.profileId];
  return review.type === 'request' && review.profileId !== undefined ? [review.profileId] : [];
};

/** Those of a request: whom they name is shown. */
const identifiersOf = (review: Review): Identifier[] =>
  review.type === 'request'
    ? review.interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one)
    : [];

/** The fields by which a person compares two customers. */
const sideOf = ({ id, name, identifiers, claimed, guest, sourceProfiles, ...rest }: Customer): object => ({
  ...{ id, name, identifiers },
  ...(guest && { guest, claimed }),
  ...{ firstSeenAt: rest.firstSeenAt, lastSeenAt: rest.lastSeenAt },
  interactions: sourceProfiles.reduce((sum, { activity }) => sum + activity.interactions, 0),
});

const causeOf = ({ text, subject, claimed, ...cause }: StoredInteraction): object => ({
  ...{ id: cause.id, profileId: cause.profileId, occurredAt: cause.occurredAt },
  ...{ kind: cause.kind, channel: cause.channel, provider: cause.provider },
  ...{ identifiers: cause.identifiers, claimed: claimed ?? [] },
  ...(subject !== undefined && { subject }),
  ...(text !== undefined && { text: [...text.slice(0, 2 * EXCERPT)].slice(0, EXCERPT).join('') }),
});

/** The guest to whom the interaction went that named a pair without proof. */
const guestsOf = ({ profileId }: StoredInteraction, sides: readonly Customer[]): string[] =>
  sides.some(({ sourceProfiles }) => sourceProfiles.some(({ profile }) => profile.id === profileId))
    ? []
    : [profileId];

/** By which a request is answered: one that somebody vouches for and owns, else one that is owned, else the first. */
const askingIdentifier = (
  review: Extract<Review, { type: 'request' }>,
  owners: ReadonlyMap<Identifier, string>,
): Identifier | undefined => {
  const all = identifiersOf(review);
  const claimed = new Set((review.interaction.claimed ?? []).map((one) => normaliseIdentifier(one) ?? one));
  const owned = all.filter((one) => owners.has(one));
  return owned.find((one) => !claimed.has(one)) ?? owned[0] ?? all[0];
};

const commandsOf = (id: string, review: Review, identifier: Identifier | undefined): string[] => {
  const resolve = (decision: string): string => `hub review resolve '${id}' ${decision}`;
  if (review.type === 'pair') return [resolve('merge'), resolve('distinct')];
  if (review.type === 'record')
    return [...review.records.map((record) => resolve(`--record ${record}`)), resolve('--create')];
  if (review.type === 'interaction')
    return [resolve('assign IDENTIFIER'), resolve('new'), resolve('dismiss')];
  if (identifier === undefined) return [resolve('done'), resolve('dismiss')];
  const act = review.reason === 'erasure-request' ? 'erase' : 'export';
  return [resolve(`${act} ${identifier}`), resolve('dismiss')];
};
