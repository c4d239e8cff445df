const named: Readonly<Record<string, string>> = {
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
 * Without what no reader is shown. What is opened and never closed hides the rest, as in a browser; so strangers cannot
 * make the search for an end begin again and again.
 */
const shown = (html: string): string => {
  let kept = '';
  let from = 0;
  for (;;) {
    opener.lastIndex = from;
    const opened = opener.exec(html);
    if (!opened) return kept + html.slice(from);
    kept += html.slice(from, opened.index);
    const closer = closers[opened[1]?.toLowerCase() ?? ''] ?? /-->/gu;
    closer.lastIndex = opener.lastIndex;
    if (!closer.exec(html)) return kept;
    from = closer.lastIndex;
  }
};

/** The words of HTML: blocks and breaks as line ends, no markup, entities as what they stand for. */
export const textOfHtml = (html: string): string =>
  shown(html)
    .replace(/[ \t\r\n\f]+/gu, ' ')
    .replace(/<br ?\/?>|<\/(?:p|div|li|h[1-6]|tr) ?>/giu, '\n')
    .replace(/<[^<>]*>/gu, '')
    .replace(/ ?\n ?/gu, '\n')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/giu, (whole, decimal, hex, name) => {
      if (name !== undefined) return named[String(name).toLowerCase()] ?? whole;
      const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    })
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
