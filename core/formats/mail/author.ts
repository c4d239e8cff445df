import { asciiDomain } from './mailbox.ts';
import { parseMailboxes } from './mailboxes.ts';

/** A header of a mail, in the order in which they stand: what a server adds, it puts on top. */
export interface MailHeader {
  readonly name: string;
  readonly value: string;
}

/** Every value of a header, from the top. */
export const headerValues = (headers: readonly MailHeader[], name: string): string[] =>
  headers.filter((one) => one.name.toLowerCase() === name).map(({ value }) => value);

/**
 * The domain of the one author of a mail, in lower case; undefined where the mail has several From headers or several
 * mailboxes in it: a verdict is about one of them, and a reader may show another.
 */
export const authorDomain = (from: readonly string[]): string | undefined => {
  const [only = '', ...others] = from;
  const mailboxes = parseMailboxes(only);
  const outside = only
    .replace(/"(?:[^"\\]|\\.)*\\?("|$)/gsu, (quoted, end) => (end === '"' ? '' : quoted))
    .replace(/<[^<>]*>/gu, '');
  if (others.length > 0 || mailboxes.length !== 1 || /[,;]/u.test(outside)) return undefined;
  return asciiDomain((mailboxes[0]?.address ?? '').split('@')[1] ?? '');
};

/** Second labels below which a country's registry sells domains, such as `co` of `co.uk`. */
const registryLabels = new Set(
  'ac co com edu gob gov gouv id info mil muni ne net nom or org sch web'.split(' '),
);

/** A name below which strangers own domains. A country's second level is taken for one if it looks like one. */
const isRegistry = (domain: string): boolean => {
  const labels = domain.split('.');
  const [second = '', top = ''] = labels;
  return labels.length < 2 || (labels.length === 2 && top.length === 2 && registryLabels.has(second));
};

/**
 * Whether a signature of `signer` speaks for an author at `author`: the same domain, or one is a subdomain of the other.
 * DMARC allows siblings too (a.example.com for b.example.com); here they are refused, because without the list of public
 * suffixes they cannot be distinguished from two customers of one host.
 */
export const isAligned = (signer: string, author: string): boolean => {
  const one = asciiDomain(signer);
  if (one === undefined) return false;
  if (one === author) return true;
  const [longer, shorter] = one.length > author.length ? [one, author] : [author, one];
  return longer.endsWith(`.${shorter}`) && !isRegistry(shorter);
};

/**
 * Whether every DKIM signature of a mail is of its author's domain. A provider that says "pass" without the domain means
 * one of them: a mail with a valid signature of another domain beside an invalid one of the author's would pass too.
 */
export const isSignedByAuthorAlone = (headers: readonly MailHeader[], author: string): boolean => {
  const signers = headerValues(headers, 'dkim-signature').map(
    (signature) => /(?:^|;)\s*d\s*=\s*([^;\s]+)/iu.exec(signature)?.[1] ?? '',
  );
  return signers.length > 0 && signers.every((signer) => isAligned(signer, author));
};

/**
 * The headers that the receiving provider added: those above the Received header of its border, which says from whom the
 * mail came. Below it everything is part of the mail, so its sender may have written it.
 */
export const addedOnReceipt = (headers: readonly MailHeader[]): readonly MailHeader[] => {
  const border = headers.findIndex(
    ({ name, value }) => name.toLowerCase() === 'received' && /^\s*from\s/iu.test(value),
  );
  return border < 0 ? headers : headers.slice(0, border);
};

/**
 * A structured header without what stands in quotes and in comments, which may repeat what the sender wrote. What is never
 * closed hides the rest.
 */
const withoutComments = (value: string): string => {
  let kept = '';
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    const character = value.charAt(at);
    if (character === '\\' && (isQuoted || depth > 0)) at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth === 0) {
      kept += character;
      continue;
    }
    kept += ' ';
  }
  return kept;
};

/** The server that wrote an Authentication-Results header (RFC 8601). */
export const resultServer = (result: string): string =>
  /^\s*([^\s;]+)/u.exec(withoutComments(result))?.[1]?.toLowerCase() ?? '';

/** Whether an Authentication-Results header says that the author is authentic, by DMARC or by an aligned DKIM signature. */
export const isAuthenticResult = (result: string, author: string): boolean =>
  withoutComments(result)
    .split(';')
    .slice(1)
    .some((part) => {
      const [, method, verdict] = /^\s*(dmarc|dkim)\s*=\s*([a-z]+)/iu.exec(part) ?? [];
      if (verdict?.toLowerCase() !== 'pass') return false;
      const [, property] = /\bheader\.(?:from|d|i)\s*=\s*([^\s;]+)/iu.exec(part) ?? [];
      const domain = property?.includes('@') ? property.split('@')[1] : property;
      return domain === undefined ? method?.toLowerCase() === 'dmarc' : isAligned(domain, author);
    });
