import { type Identifier, identifierType } from '../identity/identifier.ts';
import type { HeldRecord } from './connector.ts';
import type { CompiledMapping } from './mapping/mapping.ts';

/** A record of a CRM that holds an identifier. */
export interface Holder {
  readonly id: string;
  readonly createdAt: string;
}

/** What becomes of a record of a CRM by the identifiers that it holds. */
export type Verdict =
  /** It is the record of the customer who has these identifiers. */
  | { readonly names: readonly Identifier[] }
  /** Others hold the identifier by which its customer is known, too. */
  | { readonly shared: Identifier; readonly holders: readonly string[] }
  | { readonly withoutAddress: true };

/**
 * Judges one record of a full CRM like a customer's records are chosen (`chooseRecord`): the strongest key of `match` that
 * the record has decides, and a phone number, which people share, names somebody only if no other record has it.
 * `holdersOf`: all records that hold an identifier.
 */
export const judgeRecord = (
  { id }: Pick<HeldRecord, 'id'>,
  identifiers: readonly Identifier[],
  holdersOf: (identifier: Identifier) => readonly Holder[],
  { match, ambiguous }: Pick<CompiledMapping['contact'], 'match' | 'ambiguous'>,
): Verdict => {
  const isShared = (one: Identifier): boolean => holdersOf(one).length > 1;
  const alone = identifiers.filter((one) => !isShared(one));
  for (const type of match) {
    const ofType = identifiers.filter((one) => identifierType(one) === type);
    const shared = ofType.find(isShared);
    if (shared === undefined) {
      if (ofType.length > 0) return { names: alone };
      continue;
    }
    if (ambiguous !== 'review' && type === 'phone') continue;
    const holders = holdersOf(shared).toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
    const chosen = ambiguous === 'review' ? undefined : holders.at(ambiguous === 'oldest' ? 0 : -1);
    if (chosen?.id === id) return { names: [...alone, ...ofType.filter(isShared)] };
    return { shared, holders: holders.map((one) => one.id) };
  }
  const [first] = identifiers;
  if (first === undefined) return { withoutAddress: true };
  return alone.length > 0
    ? { names: alone }
    : { shared: first, holders: holdersOf(first).map((one) => one.id) };
};
