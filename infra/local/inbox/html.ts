/** Text that is safe inside an element or a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);

/** A page of the local runtime. `body` is HTML; `title` is text. */
export const htmlPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark; --line: light-dark(#d9dee5, #333b46); --soft: light-dark(#5b6675, #9aa6b5); --card: light-dark(#fff, #1b2027); --page: light-dark(#f4f6f8, #12161b); --accent: light-dark(#0b5cad, #7db7ff); }
  * { box-sizing: border-box; }
  body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: var(--page); color: light-dark(#17202b, #e6ebf1); }
  header { padding: 1rem 1.5rem; border-bottom: 1px solid var(--line); background: var(--card); display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
  h1 { font-size: 1.1rem; margin: 0; }
  main { max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
  .soft { color: var(--soft); }
  article, table { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
  article { padding: .9rem 1.1rem; margin-bottom: .9rem; }
  article h2 { font-size: 1rem; margin: .1rem 0 .4rem; }
  table { width: 100%; border-collapse: collapse; margin-bottom: 1.5rem; overflow: hidden; }
  th, td { text-align: left; padding: .45rem .8rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; font-size: .9rem; }
  th { font-weight: 600; color: var(--soft); font-size: .85rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: inherit; }
  .tag { display: inline-block; padding: 0 .55em; border: 1px solid var(--line); border-radius: 1em; font-size: .8rem; color: var(--accent); }
  iframe { width: 100%; height: 16rem; border: 1px solid var(--line); border-radius: 6px; background: #fff; }
  details summary { cursor: pointer; color: var(--soft); font-size: .85rem; margin-top: .5rem; }
</style>
</head>
<body>
${body}
</body>
</html>
`;
