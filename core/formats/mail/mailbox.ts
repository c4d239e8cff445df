/** Characters that a reader does not see: formats, direction marks, fillers, variation selectors. */
const INVISIBLE = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Text without the characters that a reader does not see, which a copied address or number often brings along. */
export const withoutInvisible = (text: string): string => text.replace(INVISIBLE, '');

/** A domain as it is in DNS: ASCII (IDNA), lower case, without a dot at the end; undefined if it is none. */
export const asciiDomain = (domain: string): string | undefined => {
  const bare = domain.trim().replace(/\.$/u, '');
  // What is no part of a name would be read as a port, a path or a user.
  if (/[\s/?#@:%\\[\]<>]/u.test(bare)) return undefined;
  const url = `http://${bare}/`;
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  const isName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z][a-z0-9-]*$/u.test(hostname);
  return isName && hostname.length <= 253 ? hostname : undefined;
};

/** RFC 5322, 3.2.3, with the characters beyond ASCII of RFC 6531. */
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const LONGEST_LOCAL_PART_BYTES = 64;

/**
 * One e-mail address in normal form: NFC, lower case, the domain in ASCII; undefined if the text is anything else. Invisible
 * characters, `mailto:`, angle brackets around the whole and dots at the end are left out; a name, a comment or a second
 * address makes it none, because another address could hide there.
 */
export const emailAddress = (raw: string): string | undefined => {
  const inBrackets = /^<([^<>]*)>$/u;
  let text = withoutInvisible(raw)
    .normalize('NFC')
    .trim()
    .replace(inBrackets, '$1')
    .replace(/^\s*mailto:/iu, '')
    .replace(inBrackets, '$1')
    .trim()
    .toLowerCase();
  while (text.endsWith('.')) text = text.slice(0, -1);
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const domain = asciiDomain(text.slice(at + 1));
  if (domain === undefined || !LOCAL_PART.test(local)) return undefined;
  return Buffer.byteLength(local) > LONGEST_LOCAL_PART_BYTES ? undefined : `${local}@${domain}`;
};
