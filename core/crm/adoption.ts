import { e164 } from '../identity/normalise.ts';
import type { HeldRecord } from './connector.ts';
import type { CompiledMapping } from './mapping/mapping.ts';

/** Which record of a CRM is a customer's: one that is there, a new one, or one of several that a person must choose. */
export type Choice =
  | { readonly adopt: HeldRecord }
  | { readonly choose: readonly HeldRecord[] }
  | { readonly create: true };

/** The records that were found for a customer by one key. */
export interface Found {
  readonly by: CompiledMapping['contact']['match'][number];
  readonly records: readonly HeldRecord[];
}

/**
 * Chooses among the records that were found, the strongest key first: the first key by which there is any decides. A phone
 * number, which people share, adopts only if exactly one record has it. Of several, the oldest is listed first.
 */
export const chooseRecord = (
  found: readonly Found[],
  ambiguous: CompiledMapping['contact']['ambiguous'],
): Choice => {
  for (const { by, records } of found) {
    const distinct = [...new Map(records.map((one) => [one.id, one])).values()].toSorted((one, other) =>
      one.createdAt < other.createdAt ? -1 : 1,
    );
    const [only, ...others] = distinct;
    if (only === undefined) continue;
    if (others.length === 0) return { adopt: only };
    if (ambiguous === 'review') return { choose: distinct };
    if (by !== 'phone') return { adopt: ambiguous === 'oldest' ? only : (others.at(-1) ?? only) };
  }
  return { create: true };
};

/** The identifiers of the people that a record names: each e-mail address, and each phone number that is one. */
export const identifiersIn = ({ emails, phones }: Pick<HeldRecord, 'emails' | 'phones'>): string[] => [
  ...new Set([
    ...emails.map((one) => `email:${one.trim().toLowerCase()}`),
    ...phones.flatMap((one) => {
      const phone = e164(one);
      return phone === undefined ? [] : [`phone:${phone}`];
    }),
  ]),
];
