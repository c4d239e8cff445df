// https://www.rfc-editor.org/rfc/rfc5322#section-3.4
// Providers decode the names of a header without quoting them again, so a name may contain a comma: `Doe, Adà <ada@…>`.

import { decodeWords } from 'postal-mime';
import { emailAddress } from './mailbox.ts';

export interface Mailbox {
  readonly address: string;
  readonly name?: string;
}

/** One entry of an address list as it is written. */
interface Entry {
  /** Outside of brackets and comments, quotes removed. */
  words: string;
  comment: string;
  /** In angle brackets. */
  route?: string;
}

/** Reads an address list once, character by character. */
const entriesOf = (text: string): Entry[] => {
  const entries: Entry[] = [];
  let entry: Entry = { words: '', comment: '' };
  let isQuoted = false;
  let inRoute = false;
  let depth = 0;
  const end = (): void => {
    entries.push(entry);
    entry = { words: '', comment: '' };
    inRoute = false;
  };
  const add = (character: string): void => {
    if (depth > 0) entry.comment += character;
    else if (inRoute) entry.route += character;
    else entry.words += character;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\\' && (isQuoted || depth > 0)) add(text[++at] ?? '');
    else if (character === '"' && depth === 0) {
      isQuoted = !isQuoted;
      if (inRoute) add(character);
    } else if (isQuoted) add(character);
    else if (character === '(') {
      if (depth++ > 0) add(character);
    } else if (character === ')' && depth > 0) {
      if (--depth > 0) add(character);
    } else if (depth > 0) add(character);
    else if (character === '<') {
      inRoute = true;
      entry.route = '';
    } else if (character === '>' && inRoute) inRoute = false;
    else if ((character === ',' && !inRoute) || character === ';') end();
    // The name of a group ends with a colon; the list of its members with a semicolon.
    else if (character === ':' && !inRoute && !entry.words.includes('@') && entry.route === undefined)
      entry = { words: '', comment: '' };
    else add(character);
  }
  // A bracket that is never closed was cut off, perhaps within the address.
  if (!inRoute) end();
  // A quote that is never closed is a character of a name.
  return isQuoted ? entriesOf(text.replaceAll('"', '')) : entries;
};

/** An address as an identifier has it, else as it is written, if it looks like one at all. */
const addressOf = (text: string): string | undefined => {
  // An old form names servers on the way before the address.
  const plain = text.trim().replace(/^@[^:]*:/u, '');
  const written = plain.toLowerCase();
  return emailAddress(plain) ?? (/^[^\s@<>]+@[^\s@<>]+$/u.test(written) ? written : undefined);
};

/** Folded white space becomes a blank, and what is encoded for headers becomes text. */
const nameOf = (text: string): string => decodeWords(text).replace(/\s+/gu, ' ').trim();

/** The mailboxes of an RFC 5322 address list, those of groups too; whatever is none is left out. */
export const parseMailboxes = (text: string): Mailbox[] => {
  const mailboxes: Mailbox[] = [];
  let before: string[] = [];
  for (const { words, comment, route } of entriesOf(text)) {
    const address = addressOf(route ?? words);
    const written = route === undefined ? '' : words;
    if (address === undefined) {
      // What stands before a comma and is no address begins the name that follows.
      before = words.trim() === '' || route !== undefined ? [] : [...before, words.trim()];
      continue;
    }
    const parts = route === undefined ? [] : [...before, written];
    const name = nameOf(parts.join(', ')) || nameOf(comment);
    mailboxes.push({ address, ...(name !== '' && { name }) });
    before = [];
  }
  return mailboxes;
};
