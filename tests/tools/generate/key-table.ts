import * as z from 'zod';

/** What a table shows of a key: the part of JSON Schema that the files use. */
const Node = z.looseObject({
  title: z.string().optional(),
  description: z.string().optional(),
  default: z.json().optional(),
  enum: z.array(z.json()).optional(),
  const: z.json().optional(),
  type: z.string().optional(),
  $ref: z.string().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  required: z.array(z.string()).optional(),
});
type Node = z.infer<typeof Node>;

const Root = z.looseObject({ $defs: z.record(z.string(), z.unknown()).default({}) });

/** The JSON Schema of a file as an editor reads it, in text. */
export const editorSchema = (title: string, schema: z.ZodType): string =>
  `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`;

/** A default that is longer than a line is in the shipped file. */
const LONGEST_DEFAULT = 60;

const defaultOf = ({ default: value }: Node): string => {
  const text = value === undefined ? '' : JSON.stringify(value);
  if (text.length > LONGEST_DEFAULT) return 'as shipped';
  return text === '' ? '' : `\`${text}\``;
};

/** A table of every key of a file: its values, its default, what it is. */
export const keyTable = (schema: z.ZodType): string[] => {
  const whole = z.toJSONSchema(schema, { io: 'input' });
  const { $defs } = Root.parse(whole);
  const nodeOf = (value: unknown): Node => Node.safeParse(value).data ?? {};
  const named = ({ $ref, ...node }: Node): Node =>
    $ref === undefined ? node : { ...named(nodeOf($defs[$ref.replace('#/$defs/', '')])), ...node };

  /** In words; a part that has a name of its own in the schema and no title is any value. */
  const valuesOf = (raw: unknown): string => {
    const node = named(nodeOf(raw));
    if (node.title !== undefined) return node.title;
    if (nodeOf(raw).$ref !== undefined) return 'any value';
    const branches = node.anyOf ?? node.oneOf ?? [];
    if (branches.length > 0) return [...new Set(branches.map(valuesOf))].join(' or ');
    const choices = node.enum ?? (node.const === undefined ? undefined : [node.const]);
    if (choices !== undefined) return choices.map((one) => `\`${String(one)}\``).join(' ');
    if (node.type === 'array') {
      const each = valuesOf(node.items);
      return each === 'keys' || each === 'any value' ? 'list' : `list of ${each}`;
    }
    const words: Readonly<Record<string, string>> = {
      ...{ object: 'keys', string: 'text', integer: 'whole number', boolean: '`true` `false`' },
    };
    return words[node.type ?? ''] ?? node.type ?? 'any value';
  };

  const rowsOf = (node: Node, path: string, above: ReadonlySet<string>): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([name, raw]) => {
      const child = nodeOf(raw);
      const key = path === '' ? name : `${path}.${name}`;
      const needed = node.required?.includes(name) === true ? ' (required)' : '';
      const shown = named(child);
      return [
        `| \`${key}\`${needed} | ${valuesOf(raw)} | ${defaultOf(shown)} | ${shown.description ?? ''} |`,
        ...below(child, key, above),
      ];
    });

  /** The rows of what is inside a key. A part with a title is explained elsewhere; one inside itself is shown once. */
  const below = (node: Node, key: string, above: ReadonlySet<string>): string[] => {
    if (node.$ref !== undefined && above.has(node.$ref)) return [];
    const inside = node.$ref === undefined ? above : new Set([...above, node.$ref]);
    const shown = named(node);
    if (shown.title !== undefined) return [];
    if (shown.properties !== undefined) return rowsOf(shown, key, inside);
    const branches = (node.anyOf ?? node.oneOf ?? shown.anyOf ?? shown.oneOf ?? []).map(nodeOf);
    if (branches.length > 0) return [...new Set(branches.flatMap((branch) => below(branch, key, inside)))];
    if (shown.items !== undefined) return below(nodeOf(shown.items), `${key}[]`, inside);
    return shown.additionalProperties === undefined
      ? []
      : below(nodeOf(shown.additionalProperties), `${key}.…`, inside);
  };

  const rows = below({ ...nodeOf(whole), title: undefined }, '', new Set());
  return ['| key | value | default | what it is |', '|---|---|---|---|', ...rows];
};
