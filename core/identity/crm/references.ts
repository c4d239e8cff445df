import type { Interaction } from '../../interaction/interaction.ts';
import { type Identifier, identifierType } from '../identifier.ts';
import { usableReferences } from '../normalise.ts';
import type { People } from '../people.ts';

/** Whether an interaction is what a CRM reports about one of its records. */
export const isCrmReport = ({ channel, kind }: Pick<Interaction, 'channel' | 'kind'>): boolean =>
  channel === 'crm' && (kind === 'contact-update' || kind === 'crm-record');

/** The ids of CRM records that an interaction names: those that the CRM vouches for, and those that are only claimed. */
export const referencesOf = (
  { identifiers, claimed = [] }: Pick<Interaction, 'identifiers' | 'claimed'>,
  config: People['config'],
): { readonly vouched: readonly Identifier[]; readonly claimed: readonly Identifier[] } => {
  const notVouched = new Set(usableReferences(claimed, config));
  const all = usableReferences(identifiers, config);
  return {
    vouched: all.filter((one) => !notVouched.has(one)),
    claimed: all.filter((one) => notVouched.has(one)),
  };
};

/** The ids of its own records that a CRM vouched for in a stored interaction, whether it is switched on by now or not. */
export const referencesIn = ({
  channel,
  provider,
  identifiers,
  claimed = [],
}: Pick<Interaction, 'channel' | 'provider' | 'identifiers' | 'claimed'>): Identifier[] =>
  channel === 'crm'
    ? identifiers.filter((one) => identifierType(one) === provider && !claimed.includes(one))
    : [];

/** Links the records that nobody is linked to. */
export const linkReferences = (
  people: People,
  references: readonly Identifier[],
  profileId: string,
): void => {
  for (const one of references) if (people.owner(one) === undefined) people.link(one, profileId);
};

/** Links a customer to the record that a CRM reports, if nobody is; a record that is gone links nobody. */
export const linkRecords = (people: People, interaction: Interaction, profileId: string): void => {
  const act = interaction.properties?.['act'];
  if (!isCrmReport(interaction) || act === 'deleted' || act === 'erased') return;
  linkReferences(people, referencesOf(interaction, people.config).vouched, profileId);
};
