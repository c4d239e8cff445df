import { Channel } from '../../interaction/interaction.ts';
import type { Customer } from '../customer.ts';
import type { Merge } from '../ledger.ts';
import { mergeManually } from '../merge.ts';
import type { People } from '../people.ts';

/** From which of the two customers a value comes. */
type Origin = 'keep' | 'other' | 'both';

interface Sourced<Value> {
  readonly value: Value;
  readonly from: Origin;
}

/** What a manual merge would make of two customers. */
export interface MergePreview {
  readonly fields: Readonly<Record<string, Sourced<unknown>>>;
  readonly identifiers: readonly Sourced<string>[];
  readonly consent: Readonly<Record<string, Sourced<string>>>;
  readonly closed: readonly Sourced<string>[];
  /** The rules that it would override. */
  readonly overrides: Merge['overrode'];
}

const single = ['name', 'language', 'timeZone', 'stage'] as const;

/** Merges two customers in memory alone: nothing is written. Undefined where they are one already. */
export const previewMerge = (people: People, keep: string, other: string): MergePreview | undefined => {
  const [kept, given] = [people.customer(keep), people.customer(other)];
  const merge = mergeManually(people, keep, other, { at: kept.lastSeenAt, by: 'preview', cause: 'preview' });
  if (merge === undefined) return undefined;
  const whole = people.customer(merge.survivor);
  const origin = (of: (customer: Customer) => unknown, value: unknown): Origin => {
    const text = JSON.stringify(value);
    const [isKept, isGiven] = [kept, given].map((one) => JSON.stringify(of(one)) === text);
    return isKept && isGiven ? 'both' : isKept ? 'keep' : 'other';
  };
  const sourced = <Value>(value: Value, of: (customer: Customer) => unknown): Sourced<Value> => ({
    value,
    from: origin(of, value),
  });
  const has = (one: Customer, key: 'tags' | 'identifiers', value: string): string | undefined =>
    one[key].includes(value) ? value : undefined;
  return {
    fields: Object.fromEntries([
      ...single.flatMap((field) =>
        whole[field] === undefined ? [] : [[field, sourced(whole[field], (one) => one[field])]],
      ),
      ...Object.entries(whole.traits).map(([trait, value]) => [
        `traits.${trait}`,
        sourced(value, (one) => one.traits[trait]),
      ]),
      ...whole.tags.map((tag) => [`tags.${tag}`, sourced(tag, (one) => has(one, 'tags', tag))]),
      ...(whole.preferences.channel === undefined
        ? []
        : [
            [
              'preferences.channel',
              sourced(whole.preferences.channel, ({ preferences }) => preferences.channel),
            ],
          ]),
    ]),
    identifiers: whole.identifiers.map((one) => sourced(one, (side) => has(side, 'identifiers', one))),
    consent: Object.fromEntries(
      Channel.options.flatMap((channel) => {
        const status = whole.consent[channel]?.status;
        return status === undefined
          ? []
          : [[channel, sourced(status, ({ consent }) => consent[channel]?.status)]];
      }),
    ),
    closed: Object.keys(whole.closed).map((one) =>
      sourced(one, ({ closed }) => (closed[one] === undefined ? undefined : one)),
    ),
    overrides: merge.overrode,
  };
};
