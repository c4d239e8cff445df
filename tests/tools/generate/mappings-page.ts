import { crmConnectors } from '../../../cli/crm/connectors.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';
import { paths, type Subject } from '../../../core/crm/mapping/paths.ts';
import { transformWords } from '../../../core/crm/mapping/transforms.ts';
import { replaceSection } from './catalogue.ts';
import { editorSchema, keyTable } from './key-table.ts';

/** `docs/schemas/crm-mapping.json`: the schema of `mappings/crm/<crm>.yaml`, for editors. */
export const mappingSchema = (): string => editorSchema('mappings/crm/<crm>.yaml', CrmMapping);

const pathRows = (subject: Subject): string[] =>
  Object.entries(paths[subject]).map(
    ([path, { type, about }]) => `| \`${path}\` | ${type === 'any' ? 'any value' : type} | ${about} |`,
  );

/** `docs/crm/crm-mappings.md` with the keys, paths and transforms as the code has them. */
export const withMappingKeys = (guide: string): string => {
  const path = ['| path | type | what it is |', '|---|---|---|'];
  const transforms = [
    '| transform | what it does |',
    '|---|---|',
    ...Object.values(transformWords).map(({ form, does }) => `| ${form} | ${does} |`),
  ];
  return [
    ['keys', keyTable(CrmMapping)] as const,
    ['contact-paths', [...path, ...pathRows('contact')]] as const,
    ['interaction-paths', [...path, ...pathRows('interaction')]] as const,
    ['transforms', transforms] as const,
  ].reduce((text, [name, lines]) => replaceSection(text, name, lines), guide);
};

/** The guide of a CRM with the ways to log in as its connector has them. */
export const withLogins =
  (crm: string) =>
  (guide: string): string =>
    replaceSection(
      guide,
      'logins',
      (crmConnectors[crm]?.logins ?? []).flatMap(({ title, id, secrets, steps }) => [
        `### ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
        '',
        ...steps.map((step, position) => `${position + 1}. ${step}`),
        '',
        `\`--login ${id}\`; the secret has:`,
        '',
        '| part | what it is |',
        '|---|---|',
        ...Object.entries(secrets).map(
          ([part, { about, optional }]) =>
            `| \`${part}\`${optional === true ? ' (may be left out)' : ''} | ${about} |`,
        ),
        '',
      ]),
    );
