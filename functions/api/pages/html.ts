import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { digest } from '../../../core/webhooks/signature.ts';
import { accentColors } from './brand.ts';
import type { Site } from './site.ts';

/** HTML in which every value that was filled in is escaped. */
export interface Html {
  readonly html: string;
}

type Value = string | Html | readonly Html[] | undefined;

const escaped = (text: string): string =>
  text.replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);

const filled = (value: Value): string => {
  if (value === undefined) return '';
  if (typeof value === 'string') return escaped(value);
  return 'html' in value ? value.html : value.map(({ html }) => html).join('');
};

/** Values are text and are escaped, or are HTML of this tag. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html => ({
  html: parts.map((part, position) => part + filled(values[position])).join(''),
});

const styleOf = ({ light, dark, onLight, onDark }: ReturnType<typeof accentColors>): string => `
:root { color-scheme: light dark; --page: light-dark(#f4f6f8, #12161b); --card: light-dark(#fff, #1b2027); --ink: light-dark(#17202b, #e6ebf1); --soft: light-dark(#4f5b69, #a7b2c0); --line: light-dark(#c6ced8, #465160); --accent: light-dark(${light}, ${dark}); --on-accent: light-dark(${onLight}, ${onDark}); --good: light-dark(#e3f4e8, #16331f); }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.25rem 1rem 3rem; font: 1rem/1.5 system-ui, sans-serif; background: var(--page); color: var(--ink); overflow-wrap: anywhere; }
main { max-width: 36rem; margin: 0 auto; }
.hub { color: var(--soft); font-weight: 600; margin: 0; }
.hub img { display: block; max-width: 12rem; max-height: 4rem; margin: 0 0 .75rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .1rem 0 .75rem; }
h2 { font-size: 1.125rem; margin: 2rem 0 .25rem; }
fieldset { margin: 0 0 1rem; padding: .25rem 1rem .75rem; border: 1px solid var(--line); border-radius: 10px; background: var(--card); min-width: 0; }
legend { font-weight: 600; padding: 0 .4rem; margin-left: -.4rem; }
p { margin: .5rem 0; }
.soft { color: var(--soft); font-size: .9375rem; }
label { display: flex; gap: .75rem; align-items: center; min-height: 2.75rem; padding: .35rem 0; cursor: pointer; }
label span span { display: block; }
input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent); }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .6rem 1.5rem; border: 0; border-radius: 8px; background: var(--accent); color: var(--on-accent); cursor: pointer; }
.other { margin: .75rem 0; padding-top: .75rem; border-top: 1px solid var(--line); }
.other button { background: transparent; color: var(--accent); border: 1px solid var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
.said { padding: .75rem 1rem; border-radius: 10px; background: var(--good); border: 1px solid var(--line); margin: 0 0 1rem; }
@media (max-width: 26rem) { button { width: 100%; } }
`;

const headersOf = (style: string, { logo }: Site['brand']) => ({
  'content-type': 'text/html; charset=utf-8',
  // No script runs here, nothing is loaded but the logo, and no other page frames it.
  'content-security-policy': `default-src 'none'; style-src 'sha256-${digest('sha256', style).toString('base64')}';${logo === undefined ? '' : ` img-src ${new URL(logo).origin};`} form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  // The address of the page is a credential: it is sent to no other site and stored in no cache.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
});

/** A page for a customer, in the name of the business. */
export const page = (
  statusCode: number,
  { site, title, body }: { readonly site: Site; readonly title: string; readonly body: Html },
): APIGatewayProxyStructuredResultV2 => {
  const { name, brand, language } = site;
  const style = styleOf(accentColors(brand));
  const logo = brand.logo === undefined ? undefined : html`<img src="${brand.logo}" alt="">`;
  return {
    statusCode,
    headers: headersOf(style, brand),
    body: html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${title} · ${name}</title>
<style>${{ html: style }}</style>
</head>
<body>
<main>
<p class="hub">${logo}${name}</p>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.html,
  };
};
