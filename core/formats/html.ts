import { namedEntities } from './html-entities.ts';

/** Elements whose content is not shown. */
const hidden: Readonly<Record<string, RegExp>> = {
  script: /<\/script\s*>/giu,
  style: /<\/style\s*>/giu,
  title: /<\/title\s*>/giu,
};
const COMMENT_END = /--!?>/gu;
const blocks = new Set(
  'address article aside blockquote div dl dt dd footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul'.split(
    ' ',
  ),
);
const OPENER = /<(?:(!--)|(\/?)([a-z][a-z0-9:-]*)|[!?/])/iy;
const HREF = /(?:^|[\s"'])href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))/iu;

/** The index behind the tag whose attributes begin at `from`; -1 if it never ends. A `>` in a quoted value is not its end. */
const endOfTag = (html: string, from: number): number => {
  let quote = '';
  let afterEquals = false;
  for (let at = from; at < html.length; at++) {
    const character = html[at] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '>') return at + 1;
    else if ((character === '"' || character === "'") && afterEquals) quote = character;
    if (character.trim() !== '') afterEquals = character === '=';
  }
  return -1;
};

interface Reading {
  text: string;
  /** The address of the link that is open. */
  address?: string | undefined;
}

/** Adds what a tag means for the text: line ends of blocks, a space between cells, the address behind a link. */
const applyTag = (
  reading: Reading,
  isEnd: boolean,
  name: string,
  attributes: string,
  links: boolean,
): void => {
  if (name === 'a' && links) {
    const { address } = reading;
    if (address !== undefined) reading.text += ` (${address})`;
    const [, double, single, bare] = isEnd ? [] : (HREF.exec(attributes) ?? []);
    reading.address = double ?? single ?? bare;
  } else if (name === 'br' || (isEnd && blocks.has(name))) reading.text += '\n';
  else if (name === 'td' || name === 'th') reading.text += ' ';
  else if (blocks.has(name) && !/\n\s{0,2}$/u.test(reading.text.slice(-3))) reading.text += '\n';
};

/**
 * The text without markup, comments and hidden elements. What is never closed hides the rest, as in a browser, so that a
 * hostile text cannot make the search for its end start over for each opening tag.
 */
const withoutMarkup = (html: string, links: boolean): string => {
  const reading: Reading = { text: '' };
  const add = (text: string): void => {
    reading.text += text.replace(/[ \t\r\n\f]+/gu, ' ');
  };
  let from = 0;
  let isQuoted = true;
  for (;;) {
    const at = html.indexOf('<', from);
    if (at < 0) break;
    add(html.slice(from, at));
    const isTag = /[a-z!?/]/iu.test(html[at + 1] ?? '');
    if (!isTag) {
      add('<');
      from = at + 1;
      continue;
    }
    OPENER.lastIndex = at;
    const [whole = '<', comment, slash, name = ''] = OPENER.exec(html) ?? [];
    const element = name.toLowerCase();
    let end = -1;
    if (comment !== undefined) {
      COMMENT_END.lastIndex = at + 2;
      end = COMMENT_END.exec(html) === null ? html.length : COMMENT_END.lastIndex;
    } else {
      if (isQuoted) end = endOfTag(html, at + whole.length);
      // A quote that is never closed is searched for once; from then on every tag ends at the next bracket.
      isQuoted = end >= 0;
      if (end < 0) end = html.indexOf('>', at) + 1;
      if (end === 0) {
        from = at;
        break;
      }
      applyTag(reading, slash === '/', element, html.slice(at + whole.length, end - 1), links);
      const closer = slash === '' && Object.hasOwn(hidden, element) ? hidden[element] : undefined;
      if (closer) {
        closer.lastIndex = end;
        end = closer.exec(html) === null ? html.length : closer.lastIndex;
      }
    }
    from = end;
  }
  add(html.slice(from));
  return reading.text;
};

/** Windows-1252, which many programs mean by the numbers 128 to 159; the standard reads them so too. */
const windows = new TextDecoder('windows-1252');

const ofNumber = (code: number): string | undefined => {
  if (code >= 0x80 && code <= 0x9f) return windows.decode(Uint8Array.of(code));
  return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
    ? String.fromCodePoint(code)
    : undefined;
};

/** Text with its entities, named and numbered, as characters. */
export const decodeEntities = (text: string): string =>
  text.replace(
    /&(?:#(\d{1,7});?|#x([0-9a-f]{1,6});?|([a-z][a-z0-9]{1,31})(;?))(?=([=a-z0-9])?)/giu,
    (whole: string, decimal?: string, hex?: string, name?: string, semicolon?: string, next?: string) => {
      if (decimal !== undefined) return ofNumber(Number(decimal)) ?? whole;
      if (hex !== undefined) return ofNumber(Number.parseInt(hex, 16)) ?? whole;
      const entity = namedEntities.get(name ?? '') ?? namedEntities.get((name ?? '').toLowerCase());
      if (entity === undefined) return whole;
      return semicolon === ';' || (entity.bare && next === undefined) ? entity.text : whole;
    },
  );

/**
 * The text of an HTML document: blocks and breaks as line ends, no markup, entities decoded. With `links`, the address of
 * a link follows its words in brackets.
 */
export const textOfHtml = (html: string, { links = false }: { readonly links?: boolean } = {}): string =>
  decodeEntities(
    withoutMarkup(html, links)
      .replace(/ {2,}/gu, ' ')
      .replace(/ ?\n ?/gu, '\n'),
  )
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
