// https://encoding.spec.whatwg.org/#names-and-labels
// Mails name charsets as their programs did: in quotes, as `Latin-1`, `cp-1252`, `x-ms-cp932`, or wrongly.

/** Code pages with a name of another kind. */
const codePages: Readonly<Record<string, string>> = {
  ...{
    '932': 'shift_jis',
    '936': 'gbk',
    '949': 'euc-kr',
    '950': 'big5',
    '874': 'windows-874',
    '65001': 'utf-8',
  },
  ...{ '28591': 'windows-1252', '20127': 'windows-1252', '20866': 'koi8-r', '21866': 'koi8-u' },
  ...{ '50220': 'iso-2022-jp', '51932': 'euc-jp', '1251': 'windows-1251' },
};

/** Names that the standard writes otherwise, without separators. */
const others: Readonly<Record<string, string>> = {
  ...{
    utf8mb4: 'utf-8',
    cputf8: 'utf-8',
    ansi: 'windows-1252',
    shiftjis: 'shift_jis',
    windows31j: 'shift_jis',
  },
  ...{ eucjp: 'euc-jp', euckr: 'euc-kr', uhc: 'euc-kr', iso2022jp: 'iso-2022-jp', tis620: 'windows-874' },
  ...{
    koi8r: 'koi8-r',
    koi8u: 'koi8-u',
    big5hkscs: 'big5-hkscs',
    iso88598i: 'iso-8859-8-i',
    iso88598e: 'iso-8859-8',
  },
};

const isLabel = (label: string): boolean => {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
};

/** The standard's name of a charset as a mail names it; undefined for one that nobody knows. */
export const charsetOf = (label: string): string | undefined => {
  const plain = label
    .trim()
    .replace(/^["']|["']$/gu, '')
    .trim()
    .toLowerCase();
  const bare = plain.replace(/^(?:x-ms-|x-|cs(?=[a-z]))/u, '').replace(/[\s._:-]+/gu, '');
  const [, page] = /^(?:cp|win|windows|ms|ibm|dos)(\d{3,5})$/u.exec(bare) ?? [];
  const [, latin] = /^(?:iso)?(?:8859|latin)(\d{1,2})$/u.exec(bare) ?? [];
  const candidates = [
    plain,
    ...(page === undefined ? [] : [codePages[page] ?? `windows-${page}`]),
    ...(latin === undefined ? [] : [bare.includes('latin') ? `latin${latin}` : `iso-8859-${latin}`]),
    ...(Object.hasOwn(others, bare) ? [others[bare] ?? ''] : []),
    bare,
  ];
  const known = candidates.find(isLabel);
  return known === undefined ? undefined : new TextDecoder(known).encoding;
};

/**
 * Text in a charset that a mail or a vendor names. Without one, or with one that nobody knows, it is UTF-8; what is no UTF-8 is
 * read as windows-1252, which most of it is.
 */
export const decodeText = (bytes: Uint8Array, label = 'utf-8'): string => {
  const charset = charsetOf(label) ?? 'utf-8';
  if (charset !== 'utf-8') return new TextDecoder(charset).decode(bytes);
  return utf8Of(bytes) ?? cutUtf8Of(bytes) ?? new TextDecoder('windows-1252').decode(bytes);
};

const utf8Of = (bytes: Uint8Array, stream = false): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
  } catch {
    return undefined;
  }
};

/** UTF-8 that was cut within its last character. */
const cutUtf8Of = (bytes: Uint8Array): string | undefined => {
  const text = utf8Of(bytes, true);
  return text !== undefined && Buffer.byteLength(text) > text.length ? text : undefined;
};
