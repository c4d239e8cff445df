import { companyDomain, websitesOf } from '../../../core/crm/email-domain.ts';
import { valuesOfType } from './subjects.ts';
import type { Change, Writing } from './write.ts';

/**
 * Links new contacts, and adopted ones without a company, to the company whose web site has the domain of their e-mail
 * address: one look-up per link for all of them. A domain that several companies have, or none, links nobody.
 */
export const withCompanies = async (
  { ports, session, rules }: Pick<Writing, 'ports' | 'session' | 'rules'>,
  changes: readonly Change[],
): Promise<readonly Change[]> => {
  let linked = changes;
  for (const [name, { object, field }] of Object.entries(rules.mapping.contact.links)) {
    const domains = new Map(
      linked.flatMap((change): [Change, string][] => {
        const domain = isFree(change, name) ? domainOf(change) : undefined;
        return domain === undefined ? [] : [[change, domain]];
      }),
    );
    if (domains.size === 0) continue;
    const websites = [...new Set(domains.values())].flatMap(websitesOf);
    const found = await session.find(object, { field }, websites, [field], ports.call);
    const companyOf = (domain: string): string | undefined => {
      const ids = new Set(websitesOf(domain).flatMap((one) => (found.get(one) ?? []).map(({ id }) => id)));
      return ids.size === 1 ? [...ids][0] : undefined;
    };
    linked = linked.map((change) => {
      const company = companyOf(domains.get(change) ?? '');
      if (company === undefined) return change;
      const { record } = change;
      return { ...change, record: { ...record, links: { ...record.links, [name]: company } } };
    });
  }
  return linked;
};

/** Whether the contact has no company yet. */
const isFree = ({ record, adopts }: Change, name: string): boolean =>
  adopts === undefined ? record.id === undefined : (adopts.fields[name] ?? '') === '';

const domainOf = ({ subject }: Change): string | undefined =>
  valuesOfType(subject, 'email')
    .map(companyDomain)
    .find((one) => one !== undefined);
