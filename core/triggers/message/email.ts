/** Puts HTML behind the opening of `<body>`, so that mail programs show it first; before everything where there is none. */
export const atBodyStart = (html: string, added: string): string => {
  const at = /<body(?:\s[^<>]*)?>/iu.exec(html);
  if (at === null) return added + html;
  const end = at.index + at[0].length;
  return html.slice(0, end) + added + html.slice(end);
};

/** Puts HTML before the end of `<body>`, else behind everything. */
export const atBodyEnd = (html: string, added: string): string => {
  const at = html.toLowerCase().lastIndexOf('</body>');
  return at < 0 ? html + added : html.slice(0, at) + added + html.slice(at);
};

interface FooterWords {
  readonly why: string;
  readonly unsubscribe: string;
}
const english: FooterWords = {
  why: 'You get this because you asked for our offers and news.',
  unsubscribe: 'Unsubscribe',
};
/** The words of the footer that the hub itself adds, by primary language; English where it has none. */
const footers: Readonly<Record<string, FooterWords>> = {
  it: {
    why: 'Ricevi questo messaggio perché hai chiesto le nostre offerte e novità.',
    unsubscribe: 'Annulla l’iscrizione',
  },
};

/** The footer of a marketing e-mail whose author gave none. `language`: of the e-mail. */
export const plainFooter = (unsubscribe: string, language = 'en'): string => {
  const words = footers[language.toLowerCase().split('-')[0] ?? ''] ?? english;
  return `\n<p style="font-size:12px;color:#595959">${words.why} <a href="${unsubscribe}">${words.unsubscribe}</a></p>\n`;
};
