import type * as z from 'zod';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { Condition } from '../../../core/triggers/condition.ts';
import { templateVariables } from '../../../core/triggers/template.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import { Expectation, Scenario, Step, StepInteraction } from '../../../infra/scenario/schema.ts';
import { replaceSection } from './catalogue.ts';
import { editorSchema, keyTable } from './key-table.ts';

interface Format {
  /** The page of the documentation and the schema for editors are called by it. */
  readonly name: string;
  readonly page: string;
  /** What people call the file. */
  readonly file: string;
  readonly schema: z.ZodType;
}

/** The files that people write, save the mappings of CRMs, which have a page of their own. */
export const formats: readonly Format[] = [
  { name: 'trigger', page: 'triggers', file: 'mappings/triggers/<id>.yaml', schema: Trigger },
  { name: 'hub', page: 'hub-yaml', file: 'mappings/hub.yaml', schema: HubConfig },
  { name: 'identity', page: 'identity-yaml', file: 'mappings/identity.yaml', schema: IdentityConfig },
  { name: 'scenario', page: 'scenarios', file: 'a scenario', schema: Scenario },
];

/** A page with every key of its format. */
export const withKeys =
  ({ schema }: Format) =>
  (page: string): string =>
    replaceSection(page, 'keys', keyTable(schema));

/** The schema of a format, for editors. */
export const schemaOf = ({ file, schema }: Format): string => editorSchema(file, schema);

/** The page of triggers with every key of a condition. */
export const withConditions = (page: string): string =>
  replaceSection(page, 'conditions', keyTable(Condition));

/** The page of scenarios with every key of a step, of an interaction and of what is expected. */
export const withSteps = (page: string): string =>
  [
    ['steps', Step] as const,
    ['interactions', StepInteraction] as const,
    ['expectations', Expectation] as const,
  ].reduce((text, [name, schema]) => replaceSection(text, name, keyTable(schema)), page);

/** The page of templates with every variable. */
export const withVariables = (page: string): string =>
  replaceSection(page, 'variables', [
    '| variable | what it is |',
    '|---|---|',
    ...Object.entries(templateVariables).map(([path, about]) => `| \`${path}\` | ${about} |`),
  ]);
