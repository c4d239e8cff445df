import { HubError } from '../../errors.ts';
import type { Review } from '../ledger.ts';

/** What a person decided about a review. */
export interface ReviewDecision {
  readonly decision: string;
  /** The CRM's id of a record. */
  readonly record?: string | undefined;
  readonly customer?: string | undefined;
}

const possible: Readonly<Record<Review['type'], readonly string[]>> = {
  pair: ['merge', 'distinct'],
  record: ['record', 'new'],
  interaction: ['assign', 'new', 'dismiss'],
  request: ['done', 'dismiss'],
};

const words: Readonly<Record<Review['type'], string>> = {
  pair: 'A pair of customers takes merge or distinct.',
  record:
    "Several records of a CRM take --record with the id of one, or --create where none is the customer's.",
  interaction: 'An interaction takes assign with a customer, new or dismiss.',
  request: 'A request takes done or dismiss; an erasure of the customer closes it too.',
};

/** Throws `HubError` `invalid-decision` where a decision does not fit a review. */
export const expectFittingDecision = (
  review: Review,
  { decision, record, customer }: ReviewDecision,
): void => {
  if (!possible[review.type].includes(decision))
    throw invalid(`${decision} does not decide this review. ${words[review.type]}`);
  if (decision === 'assign' && customer === undefined) throw invalid('Name the customer to assign it to.');
  if (review.type !== 'record' || decision !== 'record') return;
  if (record === undefined || !review.records.includes(record))
    throw invalid(
      `${record ?? 'Nothing'} is none of the records in this review. Choose one of ${review.records.join(', ')}; where none is the customer's, --create.`,
    );
};

/** Throws `HubError` `invalid-decision`. */
export const survivorNotInReview = (): HubError =>
  invalid('The customer named as the survivor is neither of the two in the review.');

const invalid = (sentence: string): HubError =>
  new HubError('invalid-decision', sentence, { retry: 'never' });
