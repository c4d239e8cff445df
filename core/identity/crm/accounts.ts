import * as z from 'zod';
import type { Identifier } from '../identifier.ts';

/** The accounts of one CRM that the hub has linked people in, by the ids that the CRM gives them. */
export const Accounts = z.looseObject({
  /** The one that was known first: what is stored of it bears no account. */
  first: z.string(),
  /** The one in use. */
  present: z.string(),
});
export type Accounts = z.infer<typeof Accounts>;

/** What leads to the links of an account: the id of the CRM, and the account where it is not the first. */
export type LinkScope = string;

/** A mark that no id of a record begins with; the separators of identifiers are left out of the account. */
const MARK = '@';

/** Links that were made in another account count for nothing in this one, and hold again when the hub returns to theirs. */
export const linkScope = (crm: string, accounts: Accounts | undefined): LinkScope =>
  accounts === undefined || accounts.present === accounts.first
    ? crm
    : `${crm}:${MARK}${accounts.present.replaceAll(/[:#\s]/gu, '-')}`;

/** The reference to a record of an account: `salesforce:003…`, or `salesforce:@00D…:003…`. */
export const referenceTo = (scope: LinkScope, record: string): Identifier => `${scope}:${record}`;

const REFERENCE = /^([^:]+(?::@[^:]+)?):(.+)$/su;

/** The scope and the CRM's own id of a reference. */
export const partsOfReference = (
  reference: Identifier,
): { readonly scope: LinkScope; readonly record: string } => {
  const [, scope = '', record = ''] = REFERENCE.exec(reference) ?? [];
  return { scope, record };
};

/** A reference as CRMs and providers report it, as one to a record of the account in use. `scopes`: by CRM. */
export const inAccountInUse = (reference: Identifier, scopes: ReadonlyMap<string, LinkScope>): Identifier => {
  const { scope, record } = partsOfReference(reference);
  return referenceTo(scopes.get(scope) ?? scope, record);
};
