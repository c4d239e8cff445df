import { escapeHtml, htmlPage } from './html.ts';
import type { SentMessage } from './sent-messages.ts';

const names = { email: 'E-mail', sms: 'SMS', push: 'Push' } as const;

/** An HTML page of the sent messages, newest first. */
export const inboxPage = (messages: readonly SentMessage[]): string => {
  const counts = Object.entries(names)
    .map(([medium, name]) => `${messages.filter((message) => message.medium === medium).length} ${name}`)
    .join(' · ');
  const body =
    messages.length === 0
      ? '<p class="soft">Nothing has been sent yet.</p>'
      : [...messages].reverse().map(card).join('\n');
  return htmlPage(
    'Inbox',
    `<header><h1>Inbox</h1><span class="soft">${counts}</span></header>\n<main>\n${body}\n</main>`,
  );
};

const card = (message: SentMessage): string => {
  const heading = message.subject === undefined ? '' : `<h2>${escapeHtml(message.subject)}</h2>`;
  const sender = message.from === undefined ? '' : ` from ${escapeHtml(message.from)}`;
  const text = message.text === undefined ? '' : `<pre>${escapeHtml(message.text)}</pre>`;
  // An e-mail's own HTML is shown in a sandboxed frame, which runs no scripts.
  const html =
    message.html === undefined
      ? ''
      : `<details><summary>HTML</summary><iframe sandbox="" title="HTML of the message" srcdoc="${escapeHtml(message.html)}"></iframe></details>`;
  return `<article>
<div class="soft"><span class="tag">${names[message.medium]}</span> to ${escapeHtml(message.to.join(', '))}${sender} · <time>${escapeHtml(message.at)}</time></div>
${heading}${text}${html}${details(message)}
</article>`;
};

const details = ({ headers = {}, tags = {} }: SentMessage): string => {
  const rows = [...Object.entries(headers), ...Object.entries(tags)];
  if (rows.length === 0) return '';
  const cells = rows
    .map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('');
  return `<details><summary>Headers and tags</summary><table>${cells}</table></details>`;
};
