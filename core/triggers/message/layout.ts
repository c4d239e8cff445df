import { type TemplateFiles, tagsOf } from '../template-files.ts';

const FOLDER = 'layouts/';
/** The layout of every e-mail that names none, if there is such a file. */
const DEFAULT = 'default';
/** Names no layout: the e-mail stands alone. */
const NONE = 'none';
/** What ends a marketing e-mail that has no unsubscribe link of its own. */
const FOOTER = 'footer';

const NAME = /^layouts\/([a-z0-9-]{1,48})(?:\.[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})?\.liquid$/u;

/** The name of the layout that a file is; undefined where it is none. */
export const layoutName = (file: string): string | undefined => NAME.exec(file)?.[1];

/** The layouts of `mappings/templates/layouts` as a template's files name them. */
export const layoutFiles = (files: TemplateFiles): TemplateFiles =>
  Object.fromEntries(Object.entries(files).map(([name, source]) => [`${FOLDER}${name}`, source]));

/** The layouts that a template uses. `named`: by its e-mails. */
export const usedLayouts = (layouts: TemplateFiles, named: readonly string[]): TemplateFiles => {
  const used = new Set([DEFAULT, FOOTER, ...named]);
  return Object.fromEntries(Object.entries(layouts).filter(([file]) => used.has(layoutName(file) ?? '')));
};

/** A layout in the language of the e-mail that stands in it, else the one without a language. */
const inLanguage = (files: TemplateFiles, name: string, language: string | undefined) => {
  const wanted = [
    ...tagsOf(language).map((tag) => `${FOLDER}${name}.${tag}.liquid`),
    `${FOLDER}${name}.liquid`,
  ];
  const file = wanted
    .map((one) => Object.keys(files).find((each) => each.toLowerCase() === one.toLowerCase()))
    .find((one) => one !== undefined);
  return file === undefined ? undefined : { file, source: files[file] ?? '' };
};

/**
 * The layout of an e-mail: the one that its front matter names, else `default`, if there is such a file. Undefined where it
 * has none; `missing` where it names one that is not there.
 */
export const layoutFor = (
  files: TemplateFiles,
  named: string | undefined,
  language: string | undefined,
): { readonly file: string; readonly source: string } | 'missing' | undefined => {
  if (named === NONE) return undefined;
  const found = inLanguage(files, named ?? DEFAULT, language);
  return found === undefined && named !== undefined ? 'missing' : found;
};

/** The business's own footer of marketing e-mails, if there is one. */
export const footerFor = (files: TemplateFiles, language: string | undefined) =>
  inLanguage(files, FOOTER, language);
