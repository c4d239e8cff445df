import * as z from 'zod';
import { crmConnectors } from '../../../cli/crm/connectors.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';
import { paths, type Subject } from '../../../core/crm/mapping/paths.ts';
import { transformWords } from '../../../core/crm/mapping/transforms.ts';
import { replaceSection } from './catalogue.ts';

const schema = z.toJSONSchema(CrmMapping, { io: 'input' });

/** `docs/schemas/crm-mapping.json`: the schema of `mappings/crm/<crm>.yaml`, for editors. */
export const mappingSchema = (): string =>
  `${JSON.stringify({ title: 'mappings/crm/<crm>.yaml', ...schema }, null, 2)}\n`;

/** What the table shows of a key: the part of JSON Schema that the mapping uses. */
const Node = z.looseObject({
  description: z.string().optional(),
  default: z.json().optional(),
  enum: z.array(z.json()).optional(),
  const: z.json().optional(),
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  required: z.array(z.string()).optional(),
});
type Node = z.infer<typeof Node>;

const nodeOf = (value: unknown): Node => Node.safeParse(value).data ?? {};

const rowsOf = (node: Node, path: string): string[] =>
  Object.entries(node.properties ?? {}).flatMap(([name, raw]) => {
    const child = nodeOf(raw);
    const key = path === '' ? name : `${path}.${name}`;
    const needed = node.required?.includes(name) === true ? ' (required)' : '';
    const row = `| \`${key}\`${needed} | ${valuesOf(child)} | ${defaultOf(child)} | ${child.description ?? ''} |`;
    return [row, ...below(child, key)];
  });

const below = (node: Node, key: string): string[] => {
  if (node.properties !== undefined) return rowsOf(node, key);
  const entry = nodeOf(node.additionalProperties);
  if (entry.properties !== undefined) return rowsOf(entry, `${key}.…`);
  const item = nodeOf(node.items);
  return item.properties === undefined ? [] : rowsOf(item, `${key}[]`);
};

const valuesOf = (node: Node): string => {
  const choices =
    node.enum ?? nodeOf(node.items).enum ?? (node.const === undefined ? undefined : [node.const]);
  if (choices !== undefined) return choices.map((one) => `\`${String(one)}\``).join(' ');
  return { object: 'keys', array: 'list', string: 'text' }[node.type ?? ''] ?? node.type ?? 'any value';
};

const defaultOf = (node: Node): string =>
  node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;

const pathRows = (subject: Subject): string[] =>
  Object.entries(paths[subject]).map(
    ([path, { type, about }]) => `| \`${path}\` | ${type === 'any' ? 'any value' : type} | ${about} |`,
  );

/** `docs/crm/crm-mappings.md` with the keys, paths and transforms as the code has them. */
export const withMappingKeys = (guide: string): string => {
  const keys = ['| key | value | default | what it is |', '|---|---|---|---|', ...rowsOf(nodeOf(schema), '')];
  const path = ['| path | type | what it is |', '|---|---|---|'];
  const transforms = [
    '| transform | what it does |',
    '|---|---|',
    ...Object.values(transformWords).map(({ form, does }) => `| ${form} | ${does} |`),
  ];
  return [
    ['keys', keys] as const,
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
