import type { Interaction } from '../../interaction/interaction.ts';
import { type Identifier, identifierType } from '../identifier.ts';
import type { People } from '../people.ts';

const NUMBERS: ReadonlySet<string> = new Set(['phone', 'whatsapp']);
/** A platform's own user id, reported together with the user's phone number. */
const PLATFORM_USER = 'whatsapp-user';

/** The proven identifiers of an interaction after the check for numbers that changed hands. */
export interface HandedOver {
  /** The identifiers that count. A number is omitted if its present owner has used it later. */
  readonly proven: readonly Identifier[];
  /** Source profiles of other persons who own the number, or have just lost it. */
  readonly others: readonly string[];
}

/**
 * FORMATS, step 4: a number that comes with another user id of its platform, without `becomes`, belongs to another person.
 * The person of the later interaction owns it.
 */
export const handOverNumbers = (
  people: People,
  proven: readonly Identifier[],
  { occurredAt }: Pick<Interaction, 'occurredAt'>,
): HandedOver => {
  const user = proven.find((one) => identifierType(one) === PLATFORM_USER);
  if (user === undefined) return { proven, others: [] };
  const counted: Identifier[] = [];
  const others = new Set<string>();
  for (const identifier of proven) {
    const owner = NUMBERS.has(identifierType(identifier)) ? people.owner(identifier) : undefined;
    if (owner === undefined || !hasOtherUserId(people, owner, proven)) {
      counted.push(identifier);
      continue;
    }
    others.add(owner);
    const lastInboundAt = people.sourceProfile(owner).activity.lastInboundAt[identifier] ?? '';
    if (lastInboundAt > occurredAt) continue;
    people.disown(identifier);
    counted.push(identifier);
  }
  return { proven: counted, others: [...others] };
};

/** Whether the owner of a number has user ids of the platform, and none of them is proven here. */
const hasOtherUserId = (people: People, owner: string, proven: readonly Identifier[]): boolean => {
  const users = people.customer(owner).identifiers.filter((one) => identifierType(one) === PLATFORM_USER);
  return users.length > 0 && users.every((one) => !proven.includes(one));
};
