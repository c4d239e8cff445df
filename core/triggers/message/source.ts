import { parse } from 'yaml';
import * as z from 'zod';
import { faultsOf, lineFinder } from '../../config/config-file.ts';
import { HubError } from '../../errors.ts';
import { fileMeaning, type TemplateFiles } from '../template-files.ts';

const FrontMatter = z.strictObject({
  subject: z.string().optional(),
  preheader: z.string().optional(),
  from: z.string().optional(),
  title: z.string().optional(),
  layout: z.string().optional(),
});
export type FrontMatter = z.infer<typeof FrontMatter>;

const WhatsAppTemplate = z.strictObject({
  name: z.string(),
  /** As WhatsApp writes it, such as `en_US`. */
  language: z.string().optional(),
  parameters: z.array(z.string()).default([]),
});

/** A `.liquid` file of a template. */
export interface TemplateSource {
  readonly front: FrontMatter;
  readonly body: string;
  /** The line of the file in which a key of the front matter, or the body, begins; from 1. */
  readonly lineOf: (part: keyof FrontMatter | 'body') => number;
}

/** Splits a file into its front matter and its body. Throws `HubError` `template-failure`. */
export const readSource = (file: string, source: string): TemplateSource => {
  const match = /^---\r?\n(.*?)\r?\n---(?:\r?\n(.*))?$/su.exec(source);
  if (match === null) return { front: {}, body: source, lineOf: () => 1 };
  const [, head = '', body = ''] = match;
  const front = readYaml(`the front matter of ${file}`, FrontMatter, head);
  const bodyLine = source.slice(0, source.length - body.length).split('\n').length;
  const find = lineFinder(head);
  return { front, body, lineOf: (part) => (part === 'body' ? bodyLine : find([part]) + 1) };
};

/** Reads a `whatsapp.yaml`; its language is that of the file's name where it names none, else `en`. Throws as `readSource`. */
export const readApproved = (
  file: string,
  source: string,
): { readonly name: string; readonly language: string; readonly parameters: readonly string[] } => {
  const { language, ...rest } = readYaml(file, WhatsAppTemplate, source);
  return { ...rest, language: language ?? fileMeaning(file)?.language?.replaceAll('-', '_') ?? 'en' };
};

/** The e-mails of a template with their front matter, as far as it can be read. */
const emailFronts = (files: TemplateFiles): FrontMatter[] =>
  Object.entries(files).flatMap(([file, source]) => {
    if (fileMeaning(file)?.medium !== 'email') return [];
    try {
      return [readSource(file, source).front];
    } catch {
      // The check of the template names the fault.
      return [];
    }
  });

/** The layouts that the e-mails of a template name. */
export const namedLayouts = (files: TemplateFiles): string[] =>
  emailFronts(files).flatMap(({ layout }) => layout ?? []);

/** The senders that the e-mails of a template name, not validated. */
export const sendersOf = (files: TemplateFiles): string[] =>
  emailFronts(files).flatMap(({ from }) => from ?? []);

const readYaml = <Schema extends z.ZodType>(what: string, schema: Schema, text: string): z.output<Schema> => {
  const read = schema.safeParse(parse(text) ?? {});
  if (read.success) return read.data;
  const faults = faultsOf(read.error.issues).map(({ path, message }) =>
    [...path, message].map(String).join(': '),
  );
  throw templateFailure(`${what} is not valid: ${faults.join('; ')}`);
};

/** A template that cannot be rendered, which no retry changes. */
export const templateFailure = (what: string, cause?: unknown): HubError =>
  new HubError('template-failure', what, { retry: 'never', cause });
