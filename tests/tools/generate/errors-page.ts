import { sections } from '../../../core/errors/catalogue.ts';
import type { CatalogueEntry } from '../../../core/errors/entry.ts';
import { stages } from '../../../functions/contracts/stages/index.ts';
import { replaceSection } from './catalogue.ts';

const titles: Readonly<Record<keyof typeof sections, string>> = {
  failures: 'Failures: work that a stage could not do',
  requests: 'Answers of the API, of webhook addresses and of jobs',
  commands: 'The `hub` commands and the deployment',
  log: 'Log lines that are no errors of a message or a request',
};

const retries = {
  never: 'Not retried automatically.',
  later: 'Retried automatically where a queue carries it.',
} as const;

const entryOf = ([code, { retry, means, advice }]: [string, CatalogueEntry]): string =>
  [
    `### \`${code.endsWith('-') ? `${code}…` : code}\``,
    `${means} ${retry === undefined ? '' : retries[retry]}`.trimEnd(),
    `*What to do:* ${advice}`,
  ].join('\n\n');

/** `docs/errors.md`: the catalogue of errors, one heading, and so one anchor, for each code. */
export const errorsPage = (): string => `# Errors

<!-- Written by \`npm run generate\` from core/errors/. -->

Every error has a code. It is in the answer of the API (\`code\`), in \`hub failures\`, in the log line of the function, and in the row of a failed notification or job. [When something fails](failures.md) explains how failures are listed, edited and replayed.

${Object.entries(titles)
  .map(([section, title]) => {
    const entries = Object.entries<CatalogueEntry>(sections[section as keyof typeof sections]);
    return [`## ${title}`, ...entries.map(entryOf)].join('\n\n');
  })
  .join('\n\n')}
`;

/** A guide with the table of stages replaceSection its markers as the code has it. */
export const withStages = (guide: string): string =>
  replaceSection(guide, 'stages', [
    '| stage | what is on its queue |',
    '|---|---|',
    ...Object.entries(stages).map(([id, { title }]) => `| \`${id}\` | ${title} |`),
  ]);
