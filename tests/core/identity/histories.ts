import fc from 'fast-check';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { People } from '../../../core/identity/people.ts';
import { resolveInteraction } from '../../../core/identity/resolution.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';

export const shipped = IdentityConfig.parse({});
/** No limit and no strong type bites, so that the order of arrival does not matter. */
export const unlimited = IdentityConfig.parse({
  identifiers: { email: { priority: 2, limit: 99 }, '*': { priority: 4, limit: 99 } },
});
const START = Date.parse('2026-03-01T09:00:00Z');
export const at = (minute: number): string => new Date(START + minute * 60_000).toISOString();
export const pool = [
  ...['a', 'b', 'c', 'd'].map((one) => `email:${one}@example.com`),
  ...['1', '2', '3', '4'].map((one) => `phone:+1415555010${one}`),
  ...['A', 'B', 'C'].map((one) => `line:U${one}`),
];

export interface Step {
  readonly proven: readonly string[];
  readonly claimed: readonly string[];
  readonly minute: number;
  readonly kind: Interaction['kind'];
  readonly text: string;
  readonly name: string | undefined;
}
/** A step that proves some of `provable` and claims some of the whole pool. */
export const stepOf = (provable: readonly string[]): fc.Arbitrary<Step> =>
  fc.record({
    proven: fc.subarray([...provable], { maxLength: 2 }),
    claimed: fc.subarray(pool, { maxLength: 3 }),
    minute: fc.integer({ min: 0, max: 60 }),
    kind: fc.constantFrom('message', 'message', 'form', 'opt-out', 'opt-in', 'contact-update'),
    text: fc.constantFrom('Hi', 'STOP', 'START'),
    name: fc.constantFrom(undefined, 'Ada', 'Mallory'),
  });
export const interactionOf = (
  { proven, claimed, minute, kind, text, name }: Step,
  id: string,
): Interaction => ({
  ...{ id, kind, text, channel: 'sms', provider: 'twilio', direction: 'inbound', occurredAt: at(minute) },
  identifiers: [...new Set([...proven, ...claimed])],
  claimed: claimed.filter((one) => !proven.includes(one)),
  ...(name !== undefined && { profile: { name: { full: name } } }),
});

/** Ids are made of the interaction that causes them, so that leaving out others changes none. */
export const play = (steps: readonly (Step & { readonly id: string })[], config: IdentityConfig) => {
  let cause = '';
  let made = 0;
  const people = new People({ sourceProfiles: [], owners: [] }, config, () => `${cause}.${made++}`);
  const placed = new Map<string, string | undefined>();
  for (const step of steps) {
    [cause, made] = [step.id, 0];
    placed.set(
      step.id,
      resolveInteraction(people, interactionOf(step, step.id), undefined, at(99)).profileId,
    );
  }
  return { people, placed };
};
export const numbered = <One extends Step>(steps: readonly One[]): (One & { readonly id: string })[] =>
  steps.map((step, n) => ({ ...step, id: `i${n}` }));
