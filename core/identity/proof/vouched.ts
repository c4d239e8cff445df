import { isPageAnswer } from '../../consent/consent.ts';
import type { Interaction, Kind } from '../../interaction/interaction.ts';
import type { Identifier } from '../identifier.ts';
import type { IdentityConfig } from '../identity-config.ts';
import { usableIdentifiers } from '../normalise.ts';

/** The usable identifiers of an interaction by who vouches for them (FORMATS, "Proof"), each in the order given. */
export interface Vouched {
  /** Somebody who can know vouches that the person who acted controls it. */
  readonly proven: readonly Identifier[];
  /** Anybody could have typed it. */
  readonly claimed: readonly Identifier[];
}

/**
 * Splits an interaction's usable identifiers into proven and claimed ones. What a claimed identifier implies is claimed
 * too; an identifier that is listed both ways is claimed. All are claimed of an answer on a page that proves nothing.
 */
export const vouchedIdentifiers = (
  {
    identifiers,
    claimed = [],
    ...interaction
  }: Pick<Interaction, 'identifiers' | 'claimed' | 'properties'> & Partial<Pick<Interaction, 'provider'>>,
  config: IdentityConfig,
): Vouched => {
  if (isPageAnswer(interaction)) return { proven: [], claimed: usableIdentifiers(identifiers, config) };
  const notProven = new Set(usableIdentifiers(claimed, config));
  const all = usableIdentifiers(identifiers, config);
  return {
    proven: all.filter((one) => !notProven.has(one)),
    claimed: all.filter((one) => notProven.has(one)),
  };
};

const reports: ReadonlySet<Kind> = new Set<Kind>([
  ...(['delivery-status', 'read', 'open', 'click', 'bounce', 'complaint'] as const),
]);

/** Whether an interaction reports what became of a message: it proves nothing, and makes nobody. */
export const isReport = ({ kind }: Pick<Interaction, 'kind'>): boolean => reports.has(kind);
