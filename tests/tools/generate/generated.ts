import { withCatalogue, withIdentifiers, withStopWords, withVouching } from './catalogue.ts';
import { errorsPage, withStages } from './errors-page.ts';
import { eventSchemas, eventsPage } from './events-page.ts';
import { formats, schemaOf, withConditions, withKeys, withSteps, withVariables } from './format-pages.ts';
import { mappingSchema, withLogins, withMappingKeys } from './mappings-page.ts';
import { withProviderSteps } from './providers-page.ts';
import { withSenderList, withSenders } from './senders-page.ts';

interface GeneratedFile {
  /** From the root of the repository. */
  readonly file: string;
  readonly part: string;
  /** The file as the code has it, from the file as it is. */
  readonly written: (text: string) => string;
}

/** What `npm run generate` writes, and a test compares with the repository. */
export const generated: readonly GeneratedFile[] = [
  { file: 'README.md', part: 'the table of providers', written: withCatalogue },
  { file: 'docs/providers/connecting.md', part: 'the steps of each provider', written: withProviderSteps },
  { file: 'docs/providers/senders.md', part: 'every sender', written: withSenders },
  { file: 'docs/formats/hub-yaml.md', part: 'the list of senders', written: withSenderList },
  { file: 'docs/identity.md', part: 'the table of identifiers', written: withIdentifiers },
  { file: 'docs/identity.md', part: 'the table of who vouches', written: withVouching },
  { file: 'docs/consent.md', part: 'the table of stop words', written: withStopWords },
  { file: 'docs/failures.md', part: 'the table of stages', written: withStages },
  { file: 'docs/errors.md', part: 'every error', written: errorsPage },
  { file: 'docs/events.md', part: 'every event', written: eventsPage },
  { file: 'docs/crm/crm-mappings.md', part: 'keys, paths and transforms', written: withMappingKeys },
  { file: 'docs/crm/connect-salesforce.md', part: 'the ways to log in', written: withLogins('salesforce') },
  { file: 'docs/crm/connect-hubspot.md', part: 'the ways to log in', written: withLogins('hubspot') },
  { file: 'docs/crm/connect-servicenow.md', part: 'the ways to log in', written: withLogins('servicenow') },
  { file: 'docs/schemas/crm-mapping.json', part: 'the schema of mappings', written: mappingSchema },
  ...formats.flatMap((format) => [
    { file: `docs/formats/${format.page}.md`, part: 'every key', written: withKeys(format) },
    {
      file: `docs/schemas/${format.name}.json`,
      part: 'the schema for editors',
      written: () => schemaOf(format),
    },
  ]),
  { file: 'docs/formats/triggers.md', part: 'every condition', written: withConditions },
  { file: 'docs/formats/scenarios.md', part: 'every step', written: withSteps },
  { file: 'docs/formats/templates.md', part: 'every variable', written: withVariables },
  ...[...eventSchemas()].map(([name, text]) => ({
    file: `docs/${name}`,
    part: 'the schema of an event',
    written: () => text,
  })),
];
