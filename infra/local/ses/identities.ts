import type { DatabaseSync } from 'node:sqlite';
import { element, escapeXml, members, need, type QueryOperation } from '../protocol/query.ts';

export interface Identities {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  /** Whether an address, its domain or a domain above that is a verified identity. */
  isVerified(address: string): boolean;
}

/**
 * The identities of the account, `verified` among them. Each is verified at once, because nobody could click the link of a
 * verification mail.
 */
export const identities = (db: DatabaseSync, verified: readonly string[]): Identities => {
  db.exec('CREATE TABLE IF NOT EXISTS ses_identities (identity TEXT PRIMARY KEY) STRICT');
  const add = db.prepare('INSERT OR IGNORE INTO ses_identities VALUES (?)');
  const one = db.prepare('SELECT 1 FROM ses_identities WHERE identity = ?');
  for (const identity of verified) add.run(identity.toLowerCase());
  const all = db.prepare('SELECT identity FROM ses_identities ORDER BY identity');
  return {
    operations: {
      VerifyEmailIdentity(input) {
        add.run(need(input, 'EmailAddress').toLowerCase());
        return '';
      },
      VerifyDomainIdentity(input) {
        const domain = need(input, 'Domain');
        add.run(domain.toLowerCase());
        return element('VerificationToken', Buffer.from(domain).toString('base64'));
      },
      ListIdentities: () =>
        members(
          'Identities',
          all.all().map(({ identity }) => escapeXml(String(identity))),
        ),
    },
    isVerified: (address) => identitiesOf(address.toLowerCase()).some((identity) => one.get(identity)),
  };
};

/** What may be verified for an address to count as verified: a domain counts for its subdomains. */
const identitiesOf = (address: string): string[] => {
  const labels = address.slice(address.lastIndexOf('@') + 1).split('.');
  return [address, ...labels.map((_, at) => labels.slice(at).join('.'))];
};
