const namedEntities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  euro: '€',
};

const opener = /<!--|<(script|style|title)\b[^<>]*>/giu;
const closers: Readonly<Record<string, RegExp>> = {
  script: /<\/script\s*>/giu,
  style: /<\/style\s*>/giu,
  title: /<\/title\s*>/giu,
};

/**
 * Removes comments, scripts, styles and the title. An element that is never closed hides the rest, as in a browser, so
 * that a hostile text cannot make the search for its end start over for each opening tag.
 */
const visibleHtml = (html: string): string => {
  let visible = '';
  let from = 0;
  for (;;) {
    opener.lastIndex = from;
    const opened = opener.exec(html);
    if (!opened) return visible + html.slice(from);
    visible += html.slice(from, opened.index);
    const closer = closers[opened[1]?.toLowerCase() ?? ''] ?? /-->/gu;
    closer.lastIndex = opener.lastIndex;
    if (!closer.exec(html)) return visible;
    from = closer.lastIndex;
  }
};

/** Writes the address of each link behind its words: `words (address)`. */
const withAddresses = (html: string): string => {
  let address: string | undefined;
  return html.replace(/<(\/?)a(?=[\s>])([^<>]*)>/giu, (_tag, closing: string, attributes: string) => {
    const opened = address;
    address = closing === '' ? /\bhref="([^"]*)"/iu.exec(attributes)?.[1] : undefined;
    return closing === '' || opened === undefined ? '' : ` (${opened})`;
  });
};

/**
 * The text of an HTML document: blocks and breaks as line ends, no markup, entities decoded. With `links`, the address of
 * a link follows its words in brackets.
 */
export const textOfHtml = (html: string, { links = false }: { readonly links?: boolean } = {}): string => {
  const visible = visibleHtml(html);
  return (links ? withAddresses(visible) : visible)
    .replace(/[ \t\r\n\f]+/gu, ' ')
    .replace(/<br ?\/?>|<\/(?:p|div|li|h[1-6]|tr) ?>/giu, '\n')
    .replace(/<[^<>]*>/gu, '')
    .replace(/ ?\n ?/gu, '\n')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/giu, (whole, decimal, hex, name) => {
      if (name !== undefined) return namedEntities[String(name).toLowerCase()] ?? whole;
      const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    })
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
};
