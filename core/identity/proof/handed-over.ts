import type { Interaction } from '../../interaction/interaction.ts';
import { type Identifier, identifierType } from '../identifier.ts';
import type { People } from '../people.ts';

const NUMBERS: ReadonlySet<string> = new Set(['phone', 'whatsapp']);
/** A platform's own id of a person, beside which it reports the person's number. */
const PLATFORM_USER = 'whatsapp-user';

/** What an interaction that reports a number with another user id of its platform proves, and of whom the number was. */
export interface HandedOver {
  /** The identifiers that count: without the number where its present owner was heard from later. */
  readonly proven: readonly Identifier[];
  /** Source profiles of other persons who own the number, or owned it until now. */
  readonly others: readonly string[];
}

/**
 * FORMATS, step 4: the same number with another user id of a platform, not announced by `becomes`, is another person;
 * the number goes to the newer.
 */
export const handOverNumbers = (
  people: People,
  proven: readonly Identifier[],
  { occurredAt }: Pick<Interaction, 'occurredAt'>,
): HandedOver => {
  const user = proven.find((one) => identifierType(one) === PLATFORM_USER);
  if (user === undefined) return { proven, others: [] };
  const kept: Identifier[] = [];
  const others = new Set<string>();
  for (const identifier of proven) {
    const owner = NUMBERS.has(identifierType(identifier)) ? people.owner(identifier) : undefined;
    if (owner === undefined || !isSomebodyElses(people, owner, proven)) {
      kept.push(identifier);
      continue;
    }
    others.add(owner);
    const lastInboundAt = people.sourceProfile(owner).activity.lastInboundAt[identifier] ?? '';
    if (lastInboundAt > occurredAt) continue;
    people.disown(identifier);
    kept.push(identifier);
  }
  return { proven: kept, others: [...others] };
};

/** Whether the owner of a number is known to the platform under user ids, none of which is among these. */
const isSomebodyElses = (people: People, owner: string, proven: readonly Identifier[]): boolean => {
  const users = people.customer(owner).identifiers.filter((one) => identifierType(one) === PLATFORM_USER);
  return users.length > 0 && users.every((one) => !proven.includes(one));
};
