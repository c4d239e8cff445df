import { nearestWord } from '../../config/nearest.ts';
import { liquidMessage, placeOf, type ReadVariable, variablesRead } from '../../formats/liquid.ts';
import { readMailbox } from '../../formats/mail/mime.ts';
import type { Channel } from '../../interaction/interaction.ts';
import { renderTemplate, templateVariables } from '../template.ts';
import { fileMeaning, type Medium, type TemplateFiles } from '../template-files.ts';
import { barePerson, inventedVariables } from './invented.ts';
import { layoutFor, layoutName } from './layout.ts';
import { readApproved, readSource } from './source.ts';

/** A text of a template that may hold variables. `line`: of its file, in which it begins. */
interface Part {
  readonly text: string;
  readonly line: number;
}

/**
 * What a deploy, a publication and a preview refuse of a template, one line each with file and line: files that nothing
 * reads, invalid Liquid, variables that no message has, and whatever fails when it is rendered for an invented customer.
 * `hasCause`: whether an interaction sets off the trigger that sends it, so that there are variables of it.
 */
export const templateFaults = (id: string, files: TemplateFiles, hasCause = true): string[] => {
  const found = Object.entries(files).flatMap(([file, source]) =>
    fileFaults(id, files, file, source, hasCause),
  );
  return found.length > 0 ? found : renderFaults(id, files);
};

/** How people call a file in errors. */
export const templatePath = (id: string, file: string): string =>
  layoutName(file) === undefined ? `mappings/templates/${id}/${file}` : `mappings/templates/${file}`;

const fileFaults = (
  id: string,
  files: TemplateFiles,
  file: string,
  source: string,
  hasCause: boolean,
): string[] => {
  const where = templatePath(id, file);
  const layout = layoutName(file);
  if (layout === undefined && fileMeaning(file) === undefined) return [`${where}: ${unknownFile(file)}`];
  let line = 1;
  try {
    const faults: string[] = [];
    const read: ReadVariable[] = [];
    for (const part of partsOf(files, file, source)) {
      line = part.line;
      read.push(...variablesRead(part.text).map((one) => ({ ...one, line: one.line + part.line - 1 })));
    }
    line = 1;
    if (layout !== undefined && layout !== 'footer' && !read.some(({ path }) => path[0] === 'content'))
      faults.push(`${where}: a layout shows the e-mail where it says {{ content }}, and this one does not`);
    const isContent = ({ path }: ReadVariable): boolean =>
      layout !== undefined && path.join('.') === 'content';
    const unknown = read.filter((one) => !isContent(one) && !isKnownVariable(one.path));
    const absent = hasCause ? [] : read.filter(({ path }) => path[0] === 'interaction');
    const without = absent.map(
      ({ path, line: at }) =>
        `${where}:${at}: there is no variable ${path.join('.')} in a template of a trigger with each`,
    );
    return [
      ...faults,
      ...without,
      ...unknown.map((one) => `${where}:${one.line}: ${unknownVariable(one.path)}`),
    ];
  } catch (error) {
    return [`${where}:${line + (placeOf(error).line ?? 1) - 1}: ${withoutPlace(error)}`];
  }
};

const withoutPlace = (error: unknown): string => liquidMessage(error).replace(/, line:\d+, col:\d+$/u, '');

const unknownFile = (file: string): string => {
  const known = ['email.liquid', 'sms.liquid', 'push.liquid', 'whatsapp.yaml'];
  const nearest = nearestWord(file, known);
  return `no message uses this file; ${nearest === undefined ? `expected ${known.join(', ')}, or one for a language such as email.it.liquid` : `did you mean ${nearest}?`}`;
};

const unknownVariable = (path: readonly string[]): string => {
  const nearest = nearestVariable(path);
  return `there is no variable ${path.join('.')}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
};

/** The variable of the same words in another order or spelling, such as `first_name`; else the one of the most similar parts. */
const nearestVariable = (path: readonly string[]): string | undefined => {
  const known = Object.keys(templateVariables);
  const words = wordsOf(path.join('.'));
  const sameWords = known.find((one) => words.isSubsetOf(wordsOf(one)));
  if (sameWords !== undefined) return sameWords;
  let left = known.map((one) => one.split('.'));
  const corrected: string[] = [];
  for (const [at, part] of path.entries()) {
    const choices = left.flatMap((parts) => parts[at] ?? []);
    if (choices[0] === '…') return [...corrected, ...path.slice(at)].join('.');
    const nearest = choices.includes(part) ? part : nearestWord(part, choices);
    if (nearest === undefined) return undefined;
    corrected.push(nearest);
    left = left.filter((parts) => parts[at] === nearest);
  }
  return left[0]?.join('.');
};

const wordsOf = (name: string): Set<string> =>
  new Set(name.split(/[._]|(?=[A-Z])/u).map((word) => word.toLowerCase()));

/** Also the beginning of one, such as `customer.name`, and what is inside `tags` or `attachments`. */
const isKnownVariable = (path: readonly string[]): boolean =>
  Object.keys(templateVariables).some((variable) => {
    const known = variable.split('.').filter((part) => part !== '…');
    return path.every((segment, at) => at >= known.length || segment === known[at]);
  });

const partsOf = (files: TemplateFiles, file: string, source: string): Part[] => {
  if (layoutName(file) !== undefined) return [{ text: source, line: 1 }];
  if (file.endsWith('.yaml'))
    return readApproved(file, source).parameters.map((text) => ({
      text,
      line: source.slice(0, Math.max(0, source.indexOf(text))).split('\n').length,
    }));
  const { front, body, lineOf } = readSource(file, source);
  // A sender with variables is known when it is sent.
  if (front.from !== undefined && !/\{[{%]/u.test(front.from)) readMailbox(front.from);
  const { layout, subject, preheader, from, title } = front;
  if (layoutFor(files, layout, fileMeaning(file)?.language) === 'missing')
    throw new Error(`there is no mappings/templates/layouts/${layout}.liquid, which it names as its layout`);
  const fronts = [
    { text: subject, line: lineOf('subject') },
    { text: preheader, line: lineOf('preheader') },
    { text: from, line: lineOf('from') },
    { text: title, line: lineOf('title') },
  ];
  return [
    ...fronts.flatMap(({ text, line }) => (text === undefined ? [] : [{ text, line }])),
    { text: body, line: lineOf('body') },
  ];
};

/** A channel of each medium, as the renderings for people who write templates use it. */
export const channelOf: Readonly<Record<Medium, Channel>> = {
  email: 'email',
  sms: 'sms',
  push: 'push',
  whatsapp: 'whatsapp',
};

const renderFaults = (id: string, files: TemplateFiles): string[] =>
  Object.keys(files).flatMap((file) => {
    const meaning = fileMeaning(file);
    if (meaning === undefined) return [];
    const where = templatePath(id, file);
    try {
      const {
        html = '',
        text,
        subject = '',
      } = renderTemplate(
        id,
        files,
        channelOf[meaning.medium],
        inventedVariables(),
        meaning.medium === 'whatsapp',
        { file },
      );
      const images = imagesWithoutAddress(html).map(
        (image) => `${where}: the image ${image} has no whole address; put it on the web and write https://…`,
      );
      return `${text}${subject}`.includes(String({}))
        ? [...images, `${where}: it shows a group of fields; name one of them, such as customer.name.first`]
        : images;
    } catch (error) {
      return [`${where}: ${liquidMessage(error)}`];
    }
  });

/** Mail programs show pictures by their address alone. */
const imagesWithoutAddress = (html: string): string[] =>
  [...html.matchAll(/<img\s[^<>]{0,2000}?\bsrc\s{0,20}=\s{0,20}(?:"([^"<>]*)"|'([^'<>]*)'|([^\s<>]+))/giu)]
    .map(([, double, single, bare]) => double ?? single ?? bare ?? '')
    .filter((address) => !/^(?:https?:\/\/|\[)/iu.test(address.trim()))
    .map((address) => (address.length > 60 ? `${address.slice(0, 60)}…` : address));

/** The most remarks about one file. */
const MOST_REMARKS = 20;

/**
 * What a customer of whom nothing is known lacks, one line each: the message to such a customer is a failure, unless the
 * variable has a `default`. For templates without faults.
 */
export const templateRemarks = (id: string, files: TemplateFiles): string[] =>
  Object.keys(files).flatMap((file) => {
    const meaning = fileMeaning(file);
    if (meaning === undefined) return [];
    const given = new Set<string>();
    for (let tries = 0; tries < MOST_REMARKS; tries++)
      try {
        renderTemplate(
          id,
          files,
          channelOf[meaning.medium],
          inventedVariables({ person: barePerson(given) }),
          meaning.medium === 'whatsapp',
          { file },
        );
        break;
      } catch (error) {
        const { variable } = placeOf(error instanceof Error ? error.cause : error);
        if (variable === undefined || given.has(variable)) break;
        given.add(variable);
      }
    return [...given].map(
      (variable) =>
        `${templatePath(id, file)}: ${variable} has no default: a customer without it gets no message, and the send is a failure`,
    );
  });
