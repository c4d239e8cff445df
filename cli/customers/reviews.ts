import { getCustomer } from '../client/customers.ts';
import type { HubConnection } from '../client/request.ts';
import { type InteractionReview, listReviews } from '../client/reviews.ts';
import { sanitize } from '../terminal/sanitize.ts';

const explanations = {
  strong: 'seen together, but a strong identifier differs',
  unmerged: 'seen together, but unmerged or split before',
  'no-identifier': 'names no customer',
  'over-limit': 'every identifier is over the limit of its customer',
} as const;

/** Prints each open review with what is needed to decide it. */
export const printReviews = async (hub: HubConnection): Promise<void> => {
  const { items } = await listReviews(hub);
  if (items.length === 0) console.log('No open reviews.');
  for (const review of items) {
    console.log(`${review.id}\n  ${explanations[review.reason]}`);
    const lines =
      review.type === 'pair'
        ? await Promise.all(review.profileIds.map((id) => describeProfile(hub, id)))
        : [describeInteraction(review)];
    for (const line of lines) console.log(`  ${line}`);
  }
};

const describeProfile = async (hub: HubConnection, profileId: string): Promise<string> => {
  const { identifiers, name } = await getCustomer(hub, profileId);
  return [name?.full, ...identifiers].flatMap((one) => (one === undefined ? [] : sanitize(one))).join('  ');
};

const describeInteraction = ({ interaction }: InteractionReview): string => {
  const { occurredAt, channel, kind, provider, identifiers, subject, text } = interaction;
  const words = [subject, text, ...identifiers].flatMap((one) => (one === undefined ? [] : sanitize(one)));
  return [occurredAt, channel, kind, `by ${provider}`, ...words].join('  ');
};
