import type { DatabaseSync } from 'node:sqlite';
import { element, escapeXml, members, need, type QueryOperation } from '../protocol/query.ts';

export interface Identities {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  /** Whether an address or its domain is a verified identity. */
  isVerified(address: string): boolean;
}

/** The identities of the account. Each is verified at once, because nobody could click the link of a verification mail. */
export const identities = (db: DatabaseSync): Identities => {
  db.exec('CREATE TABLE IF NOT EXISTS ses_identities (identity TEXT PRIMARY KEY) STRICT');
  const add = db.prepare('INSERT OR IGNORE INTO ses_identities VALUES (?)');
  const one = db.prepare('SELECT 1 FROM ses_identities WHERE identity = ?');
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
    isVerified: (address) =>
      [address, address.split('@').at(-1) ?? ''].some((identity) => one.get(identity.toLowerCase())),
  };
};
