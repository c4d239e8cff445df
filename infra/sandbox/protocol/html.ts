/** Text that is safe inside an element. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);

/** A page with a heading. `body` is HTML; `title` is text. */
export const htmlPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 1.5rem auto; max-width: 76rem; padding: 0 1.5rem; font: 15px/1.5 system-ui, sans-serif; }
  table { width: 100%; border-collapse: collapse; margin-bottom: 1.5rem; font-size: .9rem; }
  th, td { text-align: left; padding: .45rem .8rem; border-bottom: 1px solid light-dark(#d9dee5, #333b46); overflow-wrap: break-word; }
</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${body}
</body>
</html>
`;
