import { isPageAnswer } from '../../consent/consent.ts';
import type { Interaction, Kind } from '../../interaction/interaction.ts';
import type { Identifier } from '../identifier.ts';
import type { IdentityConfig } from '../identity-config.ts';
import { usableIdentifiers, usableReferences } from '../normalise.ts';

/** The usable identifiers of an interaction, proven and claimed (FORMATS, "Proof"), in their order. */
export interface Vouched {
  /** A trusted party confirms that the acting person controls the identifier. */
  readonly proven: readonly Identifier[];
  /** Anybody could have entered the identifier. */
  readonly claimed: readonly Identifier[];
}

/**
 * Splits an interaction's usable identifiers into proven and claimed ones. An identifier that a claimed one implies
 * is claimed too; an identifier in both lists is claimed. All identifiers of an answer on a page without proof are claimed.
 * The id of a record in a CRM is in neither list, except where a visitor of a chat claims it: guests are found by it.
 */
export const vouchedIdentifiers = (
  {
    identifiers,
    claimed = [],
    ...interaction
  }: Pick<Interaction, 'identifiers' | 'claimed' | 'properties'> &
    Partial<Pick<Interaction, 'provider' | 'channel'>>,
  config: IdentityConfig,
): Vouched => {
  if (isPageAnswer(interaction)) return { proven: [], claimed: usableIdentifiers(identifiers, config) };
  const notProven = new Set(usableIdentifiers(claimed, config));
  const all = usableIdentifiers(identifiers, config);
  const references = interaction.channel === 'crm' ? [] : usableReferences(claimed, config);
  return {
    proven: all.filter((one) => !notProven.has(one)),
    claimed: [...all.filter((one) => notProven.has(one)), ...references],
  };
};

const reports: ReadonlySet<Kind> = new Set<Kind>([
  ...(['delivery-status', 'read', 'open', 'click', 'bounce', 'complaint'] as const),
]);

/** Whether an interaction reports the status of a message: it proves no identifier and creates no customer. */
export const isReport = ({ kind }: Pick<Interaction, 'kind'>): boolean => reports.has(kind);
