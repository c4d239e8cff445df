import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/**
 * Judges requests and answers by HubSpot's own models: the classes that @hubspot/api-client generates from HubSpot's
 * specification, read from the installed package. Nothing of ours says here what HubSpot takes.
 */

const load = createRequire(import.meta.url);
const CODEGEN = join(dirname(load.resolve('@hubspot/api-client/package.json')), 'lib/codegen');
const FOLDERS = [
  'crm/objects',
  'crm/contacts',
  'crm/associations/v4',
  'crm/associations/v4/schema',
  'crm/properties',
];

const attributes = z.array(z.object({ name: z.string(), baseName: z.string(), type: z.string() }));
const modelClass = z.custom<{ getAttributeTypeMap(): unknown }>(
  (value) => typeof value === 'function' && 'getAttributeTypeMap' in value,
);

interface Attribute {
  readonly type: string;
  readonly required: boolean;
}

/** A generated class, or the values of an enumeration. */
type Model = ReadonlyMap<string, Attribute> | readonly string[];

interface Operation {
  readonly folder: string;
  readonly method: string;
  readonly path: RegExp;
  readonly parameters: number;
  readonly body: string | undefined;
  readonly answers: ReadonlyMap<string, string>;
}

const readModels = (folder: string): ReadonlyMap<string, Model> => {
  const models = new Map<string, Model>();
  const directory = join(CODEGEN, folder, 'models');
  for (const file of readdirSync(directory)) {
    const name = /^(\w+)\.js$/u.exec(file)?.[1];
    if (!name || name === 'ObjectSerializer' || name === 'all') continue;
    const exported = z.record(z.string(), z.unknown()).parse(load(join(directory, file)));
    const declared = readFileSync(join(directory, `${name}.d.ts`), 'utf8');
    for (const [key, value] of Object.entries(exported)) {
      const found = modelClass.safeParse(value);
      if (found.success) models.set(key, readAttributes(found.data, declared));
      else if (key.endsWith('Enum'))
        models.set(key, Object.values(z.record(z.string(), z.string()).parse(value)));
    }
  }
  return models;
};

const readAttributes = (model: z.infer<typeof modelClass>, declared: string): Model =>
  new Map(
    attributes
      .parse(model.getAttributeTypeMap())
      .map(({ name, baseName, type }) => [baseName, { type, required: declared.includes(`'${name}':`) }]),
  );

/** The operations of one class of calls: in its source, requests and the processors of their answers have the same names. */
const readOperations = (folder: string, file: string): Operation[] => {
  const source = readFileSync(join(CODEGEN, folder, 'apis', file), 'utf8');
  const [requests = '', answers = ''] = source.split(/class \w+ResponseProcessor/u);
  const methods = requests.split(/\n {4}(?=\w+\([^)]*\) \{)/u).slice(1);
  const processors = answers.split(/\n {4}(?=\w+WithHttpInfo\()/u).slice(1);
  return methods.flatMap((text) => {
    const name = /^\w+/u.exec(text)?.[0];
    const path = /localVarPath = '([^']+)'/u.exec(text)?.[1];
    const method = /HttpMethod\.(\w+)\)/u.exec(text)?.[1];
    if (!path || !method) return [];
    const processor = processors.find((one) => one.startsWith(`${name}WithHttpInfo(`)) ?? '';
    const models = processor.matchAll(/isCodeInRange\)\("(\d+)"[\s\S]*?parse\([\s\S]*?\), "([^"]+)"/gu);
    return [
      {
        folder,
        method,
        path: new RegExp(`^${path.replaceAll(/\{\w+\}/gu, '[^/]+')}$`, 'u'),
        parameters: path.split('{').length,
        body: /stringify\([\w.]*serialize\(\w+, "([^"]+)", ""\)/u.exec(text)?.[1],
        answers: new Map([...models].map(([, status = '', model = '']) => [status, model])),
      },
    ];
  });
};

const models = new Map(FOLDERS.map((folder) => [folder, readModels(folder)]));
const operations = FOLDERS.flatMap((folder) =>
  readdirSync(join(CODEGEN, folder, 'apis'))
    .filter((file) => /^[A-Z]\w+Api\.js$/u.test(file))
    .flatMap((file) => readOperations(folder, file)),
).sort((one, other) => one.parameters - other.parameters);

const DATE = String.raw`20\d\d-\d\d(?:-beta)?`;

/** The package has the paths of v3 and v4; those with a date are the same operations. */
const undated = (path: string): string =>
  path
    .replace(/\?.*$/u, '')
    .replace(new RegExp(`^/crm/objects/${DATE}/([^/]+/[^/]+/associations/)`, 'u'), '/crm/v4/objects/$1')
    .replace(new RegExp(`^/crm/(objects|properties)/${DATE}/`, 'u'), '/crm/v3/$1/')
    .replace(new RegExp(`^/crm/associations/${DATE}/`, 'u'), '/crm/v4/associations/');

const operationOf = (method: string, path: string): Operation | undefined =>
  operations.find((one) => one.method === method && one.path.test(undated(path)));

/** What HubSpot's models find wrong with a request; nothing where the operation takes no body. */
export const requestFaults = (method: string, path: string, body?: unknown): string[] => {
  const operation = operationOf(method, path);
  if (!operation) return [`HubSpot's package has no ${method} ${path}`];
  return operation.body === undefined ? [] : faultsOf(operation.folder, operation.body, body, 'body');
};

/** What HubSpot's models find wrong with the body of an answer. Its errors have no model that says much. */
export const answerFaults = (method: string, path: string, status: number, body: unknown): string[] => {
  const operation = operationOf(method, path);
  const model = operation?.answers.get(String(status));
  if (!operation || !model) return [`HubSpot's package has no answer ${status} to ${method} ${path}`];
  // Real answers have a `url` for each record that the models lack, and errors without links and inner errors.
  return faultsOf(operation.folder, model, body, 'body').filter(
    (fault) => !/\.url is unknown$|errors\[\d+\]\.(?:links|errors) is missing$/u.test(fault),
  );
};

const faultsOf = (folder: string, type: string, value: unknown, at: string): string[] => {
  const list = /^Array<(.+)>$/u.exec(type)?.[1];
  if (list !== undefined)
    return Array.isArray(value)
      ? value.flatMap((one, index) => faultsOf(folder, list, one, `${at}[${index}]`))
      : [`${at} is not a list`];
  const map = /^\{ \[key: string\]: (.+); \}$/u.exec(type)?.[1];
  if (map !== undefined)
    return isObject(value)
      ? Object.entries(value).flatMap(([key, one]) => faultsOf(folder, map, one, `${at}.${key}`))
      : [`${at} is not an object`];
  if (type.endsWith(' | null')) return value === null ? [] : faultsOf(folder, type.slice(0, -7), value, at);
  switch (type) {
    case 'any':
    case 'void':
      return [];
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type ? [] : [`${at} is not a ${type}`];
    case 'Date':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/u.test(value) ? [] : [`${at} is not a time`];
    default:
      return modelFaults(folder, type, value, at);
  }
};

const modelFaults = (folder: string, type: string, value: unknown, at: string): string[] => {
  const model = models.get(folder)?.get(type);
  if (!model) return [`${at}: HubSpot's package has no model ${type}`];
  if (!(model instanceof Map))
    return [...model.values()].some((one) => one === value) ? [] : [`${at} is not one of ${type}`];
  if (!isObject(value)) return [`${at} is not an object`];
  const unknown = Object.keys(value).filter((key) => !model.has(key));
  return [
    ...unknown.map((key) => `${at}.${key} is unknown`),
    ...[...model].flatMap(([key, attribute]) => {
      const own = value[key];
      if (own === undefined) return attribute.required ? [`${at}.${key} is missing`] : [];
      return faultsOf(folder, attribute.type, own, `${at}.${key}`);
    }),
  ];
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
