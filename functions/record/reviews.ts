import { HubError } from '../../core/errors.ts';
import type { Review } from '../../core/identity/ledger.ts';
import type { People } from '../../core/identity/people.ts';
import { assignInteraction } from '../../core/identity/resolution.ts';
import { markDistinct } from '../../core/identity/review-queue.ts';
import { causedBy, interactionEvents } from '../contracts/events/build.ts';
import type { CommandMessage } from '../contracts/messages/record.ts';
import type { ExecutedCommand } from '../contracts/ports/record.ts';
import { mergedByHand, ownerOf } from './commands.ts';
import { storedChange } from './stored-change.ts';

/** The halves that a review entry is about. */
export const halvesOf = (review: Review | undefined): readonly string[] =>
  review?.type === 'pair' ? review.profileIds : [];

/** A person's answer to a question of the review list. */
export const resolve = (
  people: People,
  command: Extract<CommandMessage, { command: 'resolve' }>,
  review: Review | undefined,
): ExecutedCommand => {
  const { decision } = command;
  const named = command.customer === undefined ? undefined : ownerOf(people, command.customer);
  if (review === undefined) {
    throw new HubError(
      'unknown-review',
      'There is no such open review entry: it was answered already, or its people were merged or erased since.',
      { retry: 'never' },
    );
  }
  if (review.type === 'pair' && (decision === 'merge' || decision === 'distinct')) {
    const [one, other] = review.profileIds;
    if (decision === 'distinct') {
      markDistinct(people, one, other);
      return { command, events: [] };
    }
    const first = people.customer(one).firstSeenAt <= people.customer(other).firstSeenAt ? one : other;
    const survivor = named === undefined ? first : people.customer(named).id;
    const keep = [one, other].find(
      (profileId) => people.customer(profileId).id === people.customer(survivor).id,
    );
    if (keep === undefined) throw notOfThisReview();
    return { command, events: mergedByHand(people, keep, keep === one ? other : one, command) };
  }
  if (review.type === 'interaction' && decision === 'dismiss') return { command, events: [] };
  if (
    review.type === 'interaction' &&
    (decision === 'new' || (decision === 'assign' && named !== undefined))
  ) {
    const placement = assignInteraction(people, review, decision === 'new' ? undefined : named);
    const placed = storedChange(people, review, placement);
    if (placed) return { command, events: interactionEvents(placed.stored, causedBy(placement)), placed };
  }
  throw new HubError(
    'unfit-decision',
    'A pair is answered with merge or apart; an interaction with assign (and the customer), new or dismiss.',
    { retry: 'never' },
  );
};

const notOfThisReview = (): HubError =>
  new HubError('unfit-decision', 'The customer that should survive is neither of the two in question.', {
    retry: 'never',
  });
