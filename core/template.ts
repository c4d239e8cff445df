import { Liquid, type Template } from 'liquidjs';
import { parse } from 'yaml';
import * as z from 'zod';
import { HubError } from './errors.ts';
import type { Channel } from './interaction.ts';
import type { TemplateFiles } from './media.ts';

export interface Rendered {
  readonly text: string;
  readonly html?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly template?: {
    readonly name: string;
    readonly language: string;
    readonly parameters: readonly string[];
  };
}

const FrontMatter = z.strictObject({
  subject: z.string().optional(),
  preheader: z.string().optional(),
  from: z.string().optional(),
  title: z.string().optional(),
});
const WhatsApp = z.strictObject({
  name: z.string(),
  language: z.string().default('en'),
  parameters: z.array(z.string()).default([]),
});

const engines = {
  html: new Liquid({ strictVariables: true, lenientIf: true, strictFilters: true, outputEscape: 'escape' }),
  text: new Liquid({ strictVariables: true, lenientIf: true, strictFilters: true }),
};

const cannot = (what: string, cause?: unknown): HubError =>
  new HubError('template', what, { retry: 'never', ...(cause !== undefined && { cause }) });

/** Renders a template for one medium. Throws `HubError` `template` where a variable is missing or a header would break its line. */
export const render = (
  id: string,
  files: TemplateFiles,
  channel: Channel,
  variables: object,
  approved: boolean,
): Rendered => {
  const fill = (medium: 'html' | 'text', source: string): string => {
    try {
      const parsed: Template[] = engines[medium].parse(source);
      return String(engines[medium].renderSync(parsed, variables));
    } catch (error) {
      throw cannot(
        `The template ${id} cannot be rendered for ${channel}: ${error instanceof Error ? error.message : String(error)}. Give the variable a \`default\` or mend its name.`,
        error,
      );
    }
  };
  const header = (source: string): string => {
    const value = fill('text', source).trim();
    if (/[\r\n]/u.test(value))
      throw cannot(`The template ${id} puts a line break into a header of its ${channel}.`);
    return value;
  };
  if (channel === 'whatsapp' && approved) {
    const { name, language, parameters } = WhatsApp.parse(parse(files['whatsapp.yaml'] ?? ''));
    const filled = parameters.map((one) => fill('text', one));
    return { text: filled.join(' '), template: { name, language, parameters: filled } };
  }
  const file = channel === 'email' ? 'email.liquid' : channel === 'push' ? 'push.liquid' : 'sms.liquid';
  const source = files[file];
  if (source === undefined) throw cannot(`The template ${id} has no ${file}.`);
  const { front, body } = split(source);
  const subject = front.subject ?? front.title;
  const heads = {
    ...(subject !== undefined && { subject: header(subject) }),
    ...(front.from !== undefined && { from: header(front.from) }),
  };
  if (channel !== 'email') return { ...heads, text: fill('text', body).trim() };
  const preheader =
    front.preheader === undefined ? '' : `<div style="display:none">${fill('html', front.preheader)}</div>`;
  return { ...heads, html: preheader + fill('html', body), text: plain(fill('text', body)) };
};

const split = (source: string): { front: z.infer<typeof FrontMatter>; body: string } => {
  const match = /^---\n(.*?)\n---\n?(.*)$/su.exec(source);
  return match
    ? { front: FrontMatter.parse(parse(match[1] ?? '') ?? {}), body: match[2] ?? '' }
    : { front: {}, body: source };
};

/** The text alternative of an HTML body. */
const plain = (html: string): string =>
  html
    .replace(/<a\s[^>]*href="([^"]*)"[^>]*>(.*?)<\/a>/gsu, '$2 ($1)')
    .replace(/<(?:br|\/p|\/div|\/h\d|\/li)[^>]*>/gu, '\n')
    .replace(/<[^>]+>/gu, '')
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
