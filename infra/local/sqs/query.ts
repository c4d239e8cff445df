import { escapeXml } from '../protocol/query.ts';

/** Maps of the query protocol (boto3 before 1.28.81 speaks only this one, and Debian 12 ships 1.26): `Attribute.1.Name=…&Attribute.1.Value=…`. */
const maps: Readonly<Record<string, { name: string; key: string }>> = {
  Attribute: { name: 'Attributes', key: 'Name' },
  MessageAttribute: { name: 'MessageAttributes', key: 'Name' },
  MessageSystemAttribute: { name: 'MessageSystemAttributes', key: 'Name' },
};
const lists: Readonly<Record<string, string>> = {
  AttributeName: 'AttributeNames',
  MessageAttributeName: 'MessageAttributeNames',
  MessageSystemAttributeName: 'MessageSystemAttributeNames',
  SendMessageBatchRequestEntry: 'Entries',
  DeleteMessageBatchRequestEntry: 'Entries',
  ChangeMessageVisibilityBatchRequestEntry: 'Entries',
};
const numbers = new Set([
  'DelaySeconds',
  'MaxNumberOfMessages',
  'VisibilityTimeout',
  'WaitTimeSeconds',
  'MaxResults',
]);

type Tree = Map<string, Tree | string>;
type Input = Record<string, unknown>;

/** The fields of a query request as an input of the JSON protocol. */
export const inputOfForm = (form: URLSearchParams, path: string): Input => {
  const { Action, Version: _version, ...input } = structureOf(treeOf(form));
  const hasQueue = Action !== 'CreateQueue' && Action !== 'ListQueues' && Action !== 'GetQueueUrl';
  return { ...(hasQueue && { QueueUrl: path }), ...input };
};

const treeOf = (form: URLSearchParams): Tree => {
  const root: Tree = new Map();
  for (const [key, value] of form) {
    let at = root;
    const parts = key.split('.');
    for (const part of parts.slice(0, -1)) {
      const below = at.get(part);
      const next: Tree = below instanceof Map ? below : new Map();
      at.set(part, next);
      at = next;
    }
    at.set(parts.at(-1) ?? '', value);
  }
  return root;
};

const structureOf = (tree: Tree): Input =>
  Object.fromEntries(
    [...tree].map(([name, value]) => {
      if (!(value instanceof Map)) return [name, numbers.has(name) ? Number(value) : value];
      const map = maps[name];
      if (map) return [map.name, entriesOf(value, map.key)];
      const list = lists[name];
      if (list === undefined) return [name, structureOf(value)];
      return [list, [...value.values()].map((one) => (one instanceof Map ? structureOf(one) : one))];
    }),
  );

const entriesOf = (tree: Tree, key: string): Input =>
  Object.fromEntries(
    [...tree.values()].map((entry) => {
      const value = entry instanceof Map ? entry.get('Value') : undefined;
      const name = entry instanceof Map ? entry.get(key) : undefined;
      return [String(name), value instanceof Map ? structureOf(value) : value];
    }),
  );

/** The output of an operation as the XML inside its result element. */
export const xmlOfOutput = (operation: string, output: unknown): string => {
  if (typeof output !== 'object' || output === null) return '';
  return Object.entries(output)
    .map(([name, value]) => memberXml(operation, name, value))
    .join('');
};

const memberXml = (operation: string, name: string, value: unknown): string => {
  const map = Object.values(maps).find((one) => one.name === name);
  if (map && typeof value === 'object' && value !== null) {
    const tag = name.slice(0, -1);
    return Object.entries(value)
      .map(([key, one]) => `<${tag}><${map.key}>${escapeXml(key)}</${map.key}>${valueXml(one)}</${tag}>`)
      .join('');
  }
  if (!Array.isArray(value)) return `<${name}>${contentXml(operation, value)}</${name}>`;
  const tag =
    { Successful: `${operation}ResultEntry`, Failed: 'BatchResultErrorEntry' }[name] ??
    `${name.charAt(0).toUpperCase()}${name.slice(1, -1)}`;
  return value.map((one) => `<${tag}>${contentXml(operation, one)}</${tag}>`).join('');
};

const valueXml = (value: unknown): string => `<Value>${contentXml('', value)}</Value>`;

const contentXml = (operation: string, value: unknown): string =>
  typeof value === 'object' && value !== null ? xmlOfOutput(operation, value) : escapeXml(String(value));
