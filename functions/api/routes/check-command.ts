import { HubError } from '../../../core/errors.ts';
import {
  expectFittingDecision,
  survivorNotInReview,
} from '../../../core/identity/decisions/review-decision.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { normaliseIdentifier, withSpellings } from '../../../core/identity/normalise.ts';
import type { Reviews } from '../../aws/customers/reviews.ts';
import type { CommandOutcome } from '../../aws/operations/command-outcomes.ts';
import type { CommandMessage } from '../../contracts/messages/record.ts';
import type { History } from '../../contracts/ports/history.ts';
import { problem } from '../../middleware/http.ts';
import { brokenRule, type RulePorts } from './check-rules.ts';
import type { Answer } from './route.ts';

export interface CheckPorts extends RulePorts {
  readonly reviews: Reviews;
  readonly history: History;
  /** The source profiles that own identifiers; those without an owner are absent. */
  readonly owners: (identifiers: readonly Identifier[]) => Promise<ReadonlyMap<Identifier, string>>;
  readonly outcome: (command: string) => Promise<CommandOutcome>;
}

/**
 * What is wrong with a command as a person may mistype it: nobody has an identifier that it names, it decides a review that
 * is not open, or in a way that does not fit, or it breaks a rule of identities. Undefined where it may be queued; who executes it checks it again.
 */
export const refusalOf = async (command: CommandMessage, ports: CheckPorts): Promise<Answer | undefined> => {
  const named = namedIn(command).map((one) => normaliseIdentifier(one) ?? one);
  const owners = await ports.owners(withSpellings(named));
  const ownerOf = (one: Identifier): string | undefined =>
    withSpellings([one]).flatMap((spelling) => owners.get(spelling) ?? [])[0];
  const unknown = named.find((one) => ownerOf(one) === undefined);
  if (unknown !== undefined)
    return problem(
      404,
      'unknown-customer',
      `No customer owns ${unknown}. It may be written differently, or only be claimed: hub customer show ${unknown}.`,
    );
  const [owner] = named.flatMap((one) => ownerOf(one) ?? []);
  if (command.command === 'resolve') return refusalOfDecision(command, owner, ports);
  const refusal = await brokenRule(command, owner, ports);
  // A caller who repeats a request gets the same answer.
  return refusal === undefined || (await ports.outcome(command.id)).status === 'done' ? undefined : refusal;
};

/** The identifiers of a command that somebody must own. */
const namedIn = (command: CommandMessage): readonly Identifier[] => {
  switch (command.command) {
    case 'import':
      return [];
    case 'merge':
      return [command.keep, command.other];
    case 'reopen':
      return [command.identifier];
    case 'split':
      return [command.customer ?? command.identifier];
    default:
      return command.customer === undefined ? [] : [command.customer];
  }
};

type Resolve = Extract<CommandMessage, { command: 'resolve' }>;

const refusalOfDecision = async (
  command: Resolve,
  survivor: string | undefined,
  { reviews, history }: CheckPorts,
): Promise<Answer | undefined> => {
  const found = await reviews.get(command.review);
  if (found === undefined) {
    const made = await reviews.decision(command.review);
    // A caller who repeats a request gets the same answer.
    if (made?.command === command.id) return undefined;
    return made === undefined
      ? problem(
          404,
          'unknown-review',
          `There is no open review ${command.review}. Its customers may have been merged or erased since; hub review list shows what is open.`,
        )
      : problem(
          409,
          'decided-review',
          `${made.by} decided this review at ${made.at}: ${[made.decision, made.record].filter(Boolean).join(' ')}.`,
        );
  }
  const { review } = found;
  try {
    expectFittingDecision(review, command);
    if (review.type === 'pair' && survivor !== undefined) {
      const customers = await history.customers([survivor, ...review.profileIds]);
      const chosen = customers.get(survivor)?.id;
      if (!review.profileIds.some((one) => customers.get(one)?.id === chosen)) throw survivorNotInReview();
    }
    return undefined;
  } catch (error) {
    if (error instanceof HubError && error.code === 'invalid-decision')
      return problem(400, error.code, error.message);
    throw error;
  }
};
