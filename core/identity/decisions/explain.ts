import { OWN_PAGES } from '../../consent/consent.ts';
import { HISTORY, type Instant, type Interaction } from '../../interaction/interaction.ts';
import type { Identifier } from '../identifier.ts';
import type { Confirmation, Merge, Reopening, Review, Split } from '../ledger.ts';

/** The parts of an interaction by which it can be named in a sentence. */
type Cause = Pick<Interaction, 'kind' | 'channel' | 'provider' | 'occurredAt' | 'identifiers' | 'claimed'>;

const ownPrograms: ReadonlySet<string> = new Set(['standard', 'api', HISTORY]);
const crms: ReadonlySet<string> = new Set(['salesforce', 'hubspot', 'servicenow']);

/** Who vouches for the proven identifiers of an interaction, as a sentence continues after it. */
const vouchedBy = ({ provider, channel, kind }: Cause): string => {
  if (provider === OWN_PAGES) return 'whose confirm page was reached by a link sent to the address';
  if (ownPrograms.has(provider)) return 'which the business itself reported with its secret';
  if (crms.has(provider)) return 'a record that staff or an import made';
  if (channel === 'email' && kind === 'message')
    return 'whose sender the receiving provider had authenticated (DMARC or an aligned DKIM signature)';
  if (['sms', 'rcs', 'whatsapp', 'voice'].includes(channel)) return 'which came from the number itself';
  return `for which ${provider} vouches`;
};

const article = (word: string): string => (/^[aeiou]/u.test(word) ? 'an' : 'a');
const dated = (at: Instant): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
const listed = (identifiers: readonly string[]): string =>
  identifiers.length < 2
    ? identifiers.join('')
    : `${identifiers.slice(0, -1).join(', ')} and ${identifiers.at(-1)}`;

/** An interaction as a sentence names it: "a message (email by ses) of 2026-03-01 09:00 UTC". */
const named = ({ kind, channel, provider, occurredAt }: Cause): string =>
  `${article(kind)} ${kind} (${channel} by ${provider}) of ${dated(occurredAt)}`;

const proven = ({ identifiers, claimed = [] }: Cause): Identifier[] =>
  identifiers.filter((one) => !claimed.includes(one));

const overrides: Readonly<Record<Merge['overrode'][number], string>> = {
  strong: 'that their strong identifiers differ',
  limit: 'the limit of identifiers of one type',
  unmerged: 'that they were unmerged or declared distinct before',
};

/** The rules that a manual merge overrides, as a sentence names them. */
export const describeOverrides = (overrode: Merge['overrode']): string =>
  listed(overrode.map((one) => overrides[one]));

/** A decision of the ledger. */
export type Decision =
  | ({ readonly type: 'merge' } & Merge)
  | ({ readonly type: 'split' } & Split)
  | ({ readonly type: 'reopening' } & Reopening)
  | ({ readonly type: 'confirmation' } & Confirmation);

/**
 * Why the hub or a person decided so, in one or two sentences with the proof. `cause`: the interaction that caused a merge
 * by identifiers; absent where it is not stored any more.
 */
export const explainDecision = (decision: Decision, cause: Cause | undefined): string => {
  switch (decision.type) {
    case 'merge':
      return [explainMerge(decision, cause), undone(decision)].filter((one) => one !== '').join(' ');
    case 'split':
      return decision.claimed
        ? `Since ${dated(decision.at)} the guest ${decision.to}, which claims ${decision.identifier}, is shown apart: ${decision.by} decided so.`
        : `Since ${dated(decision.at)} ${decision.identifier} is a customer of its own (${decision.to}): ${decision.by} split it off.`;
    case 'confirmation':
      return [
        `Since ${dated(decision.at)} ${decision.identifier} is the customer's, because ${decision.by} confirmed it; until then it was only claimed.`,
        undone(decision),
      ]
        .filter((one) => one !== '')
        .join(' ');
    case 'reopening':
      return `Since ${dated(decision.at)} messages go to ${decision.address} again, which a ${decision.reason} had closed: ${decision.by} reopened it${decision.evidence === undefined ? '' : ` (“${decision.evidence}”)`}.`;
  }
};

const explainMerge = (
  { survivor, others, at, by, reason, overrode }: Merge,
  cause: Cause | undefined,
): string => {
  const whom = `${listed(others)} and ${survivor} are one customer since ${dated(at)}`;
  if (by !== 'identifiers') {
    const why = reason === undefined ? 'without a reason' : `because “${reason}”`;
    const despite = overrode.length === 0 ? '' : ` It overrode ${describeOverrides(overrode)}.`;
    return `${whom}: ${by} merged them ${why}.${despite}`;
  }
  if (cause === undefined)
    return `${whom}: one interaction proved identifiers of both. It is not stored any more.`;
  return `${whom}: ${named(cause)}, ${vouchedBy(cause)}, names ${listed(proven(cause))} together.`;
};

const undone = ({
  undoneAt,
  undoneBy = 'somebody',
}: {
  readonly undoneAt?: Instant | undefined;
  readonly undoneBy?: string | undefined;
}): string => (undoneAt === undefined ? '' : `${undoneBy} undid it at ${dated(undoneAt)}.`);

/** Why a review is open, in one sentence. `cause`: the interaction that named a pair, where it is stored. */
export const explainReview = (review: Review, cause: Cause | undefined): string => {
  const by = cause === undefined ? 'An interaction that is not stored any more' : capital(named(cause));
  switch (review.reason) {
    case 'strong':
      return `${by} proves identifiers of both, but their strong identifiers differ.`;
    case 'unmerged':
      return `${by} proves identifiers of both, but somebody has unmerged or split them before.`;
    case 'claimed':
      return `${by} names both, and nobody vouches for ${listed(cause?.claimed ?? []) || 'the identifiers'}.`;
    case 'handed-over':
      return `${by} reports a number of one with another user id of its platform: the number went to the newer customer.`;
    case 'crm-change':
      return `${by} names both as one record of the CRM. Both have been in touch, or together they exceed a limit, so nothing was merged.`;
    case 'several-records':
      return severalRecords(review);
    case 'no-identifier':
      return 'The interaction has no identifier by which its customer could be found.';
    case 'over-limit':
      return 'Every identifier of the interaction would exceed a limit of its customer.';
    case 'data-request':
      return `${requested(review)} for a copy of their data.`;
    case 'erasure-request':
      return `${requested(review)} to be erased.`;
  }
};

const severalRecords = (review: Review): string =>
  review.type === 'record'
    ? `${review.records.length} records of ${review.crm} have an address of the customer: ${review.records.join(', ')}. Nothing is written for the customer there until one is chosen.`
    : '';

const requested = (review: Review): string => {
  if (review.type !== 'request') return '';
  const { interaction, dueAt } = review;
  const whose = listed(interaction.identifiers) || 'a customer whom it does not name';
  return `Answer by ${dueAt.slice(0, 10)}: ${interaction.provider} passes on that ${whose} asks`;
};

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
