import * as z from 'zod';
import type { Customer } from '../../../../core/identity/customer.ts';
import { describeOverrides } from '../../../../core/identity/decisions/explain.ts';
import { previewMerge } from '../../../../core/identity/decisions/preview.ts';
import type { IdentityConfig } from '../../../../core/identity/identity-config.ts';
import { normaliseIdentifier } from '../../../../core/identity/normalise.ts';
import { People } from '../../../../core/identity/people.ts';
import type { Guests } from '../../../contracts/ports/guests.ts';
import type { History } from '../../../contracts/ports/history.ts';
import { problem } from '../../../middleware/http.ts';
import { json, type Routes, withQuery } from '../route.ts';

/** A contact that a CRM has of a source profile. */
export interface CrmContact {
  readonly crm: string;
  readonly profileId: string;
  /** In the CRM's own id. */
  readonly contact: string;
}

export interface MergePorts {
  readonly history: History;
  /** The source profile that owns a normalised identifier, else its guest. */
  readonly owner: (identifier: string) => Promise<string | undefined>;
  readonly guests: Pick<Guests, 'guestsOf'>;
  readonly identity: () => Promise<IdentityConfig>;
  readonly contacts: (profileIds: readonly string[]) => Promise<readonly CrmContact[]>;
}

const Query = z.strictObject({ keep: z.string(), other: z.string() });

export const mergeRoutes: Routes<MergePorts> = {
  /** What a merge by hand would make of two customers. Writes nothing. */
  'GET /merges/preview': withQuery(Query, async ({ keep, other }, _event, ports) => {
    const [kept, given] = await Promise.all([keep, other].map((one) => personOf(one, ports)));
    if (kept === undefined || given === undefined)
      return problem(
        404,
        'unknown-customer',
        `No customer owns ${kept === undefined ? keep : other}. What a guest claims is confirmed and not merged: hub customer confirm.`,
      );
    const sourceProfiles = [kept, given].flatMap((one) => one.sourceProfiles);
    const people = new People({ sourceProfiles, owners: [] }, await ports.identity(), () => 'preview');
    const preview = previewMerge(people, kept.id, given.id);
    if (preview === undefined)
      return problem(409, 'existing-merge', 'The two identifiers belong to one customer already.');
    const { overrides, ...merged } = preview;
    return json(200, {
      keep: summaryOf(kept),
      other: summaryOf(given),
      merged,
      overrides,
      ...(overrides.length > 0 && { warning: `The merge overrides ${describeOverrides(overrides)}.` }),
      crm: await contactsOf(kept, given, ports),
      guests: await guestsOf(kept, given, ports),
    });
  }),
};

const personOf = async (
  identifier: string,
  { owner, history }: MergePorts,
): Promise<Customer | undefined> => {
  const profileId = await owner(normaliseIdentifier(identifier) ?? identifier);
  const customer = profileId === undefined ? undefined : await history.customer(profileId);
  return customer?.guest === true ? undefined : customer;
};

const summaryOf = ({ id, name, identifiers, firstSeenAt, lastSeenAt }: Customer): object => ({
  ...{ id, name, identifiers, firstSeenAt, lastSeenAt },
});

/** The contact of the customer that is kept goes on; the other's stays in the CRM, and nothing more is synced to it. */
const contactsOf = async (kept: Customer, given: Customer, { contacts }: MergePorts): Promise<object[]> => {
  const idsOf = ({ sourceProfiles }: Customer): string[] => sourceProfiles.map(({ profile }) => profile.id);
  const found = await contacts([...idsOf(kept), ...idsOf(given)]);
  return found.map(({ crm, profileId, contact }) => {
    const of = idsOf(kept).includes(profileId) ? 'keep' : 'other';
    return { crm, contact, of, effect: profileId === kept.id ? 'synced on' : 'stays as it is' };
  });
};

const guestsOf = async (kept: Customer, given: Customer, { guests }: MergePorts): Promise<object[]> => {
  const shown = await Promise.all([kept, given].map((one) => guests.guestsOf(one)));
  return shown.flatMap((all, position) =>
    all.map(({ id, claimed }) => ({ id, claimed, of: position === 0 ? 'keep' : 'other' })),
  );
};
