import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { hubspot } from '../../../../connectors/crm/hubspot/index.ts';
import {
  type Call,
  type CrmRecord,
  type CrmResult,
  type CrmSession,
  type SharedToken,
  unsharedToken,
} from '../../../../core/crm/connector.ts';
import type { CrmFault } from '../../../../core/crm/fault.ts';
import { memberOf } from '../../../../core/formats/payload.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: unknown;
}
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A page of HTML instead of JSON. */
  readonly text?: string;
}
/** `lost`: the connection ends without an answer; `silent`: there is none. */
type Script = (asked: Asked) => Answer | 'lost' | 'silent';

export interface ScriptedHubspot {
  readonly asked: Asked[];
  /** The members of request bodies that HubSpot's own models do not have, or lack. */
  readonly invalid: string[];
  script: Script;
  readonly call: Call;
  readonly spent: () => number;
  readonly open: (credentials?: object, token?: SharedToken) => Promise<CrmSession>;
  readonly stop: () => Promise<void>;
}

/** A server that answers what a test says, and checks every request against HubSpot's own models. */
export const scriptedHubspot = async (): Promise<ScriptedHubspot> => {
  let spent = 0;
  const call: Call = {
    signal: new AbortController().signal,
    spend: async () => {
      spent += 1;
    },
    sleep: async () => {},
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      const one: Asked = {
        method: request.method ?? '',
        path: pathname,
        query: searchParams,
        token: request.headers.authorization ?? '',
        body: bodyOf(Buffer.concat(chunks).toString(), request.headers['content-type']),
      };
      hub.asked.push(one);
      hub.invalid.push(...modelFaults(one));
      const answer = hub.script(one);
      if (answer === 'lost') return response.destroy();
      if (answer === 'silent') return undefined;
      const type = answer.text === undefined ? 'application/json;charset=UTF-8' : 'text/html';
      response.writeHead(answer.status ?? 200, { 'content-type': type, ...answer.headers });
      return response.end(answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body)));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hub: ScriptedHubspot = {
    asked: [],
    invalid: [],
    script: accepting,
    call,
    spent: () => spent,
    open: (credentials = { accessToken: 'pat-1' }, token = unsharedToken) =>
      hubspot.open({ baseUrl, ...credentials }, token, call.signal),
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return hub;
};

const bodyOf = (text: string, type: string | undefined): unknown => {
  if (text === '') return undefined;
  return type === 'application/x-www-form-urlencoded'
    ? Object.fromEntries(new URLSearchParams(text))
    : JSON.parse(text);
};

export const WRITTEN = '2026-03-01T09:00:00.000Z';

interface Input {
  readonly id?: string;
  readonly idProperty?: string;
  readonly objectWriteTraceId?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly from?: { readonly id: string };
  readonly to?: { readonly id: string };
}

/** The inputs of a batch. */
export const inputsOf = (asked: Asked | undefined): readonly Input[] => {
  const inputs: unknown = memberOf(asked?.body, 'inputs');
  return Array.isArray(inputs) ? inputs : [];
};

/** HubSpot in its best mood: everything is written and linked. */
export const accepting = (asked: Asked): Answer => ({
  body: {
    status: 'COMPLETE',
    results: inputsOf(asked).map(({ id = '', idProperty, objectWriteTraceId, properties, from, to }) =>
      properties === undefined
        ? {
            fromObjectTypeId: '0-46',
            fromObjectId: from?.id,
            toObjectTypeId: '0-1',
            toObjectId: to?.id,
            labels: [],
          }
        : {
            ...{ id: idProperty === undefined ? id : `id-${id}`, properties, objectWriteTraceId },
            ...{ createdAt: WRITTEN, updatedAt: WRITTEN, archived: false },
          },
    ),
  },
});

/** Accepts all but the record of one key, with an error inside an answer that counts as success. */
export const acceptingBut = (asked: Asked, key: string, refusal: object, status = 207): Answer => {
  const isRefused = ({ objectWriteTraceId }: Input): boolean => objectWriteTraceId === key;
  const inputs = inputsOf(asked);
  const accepted = accepting({ ...asked, body: { inputs: inputs.filter((one) => !isRefused(one)) } });
  if (!inputs.some(isRefused)) return accepted;
  const results: unknown = memberOf(accepted.body, 'results');
  return { status, body: { status: 'COMPLETE', results, errors: [refusal], numErrors: 1 } };
};

export const record = (key: string, fields: CrmRecord['fields'] = { lastname: key }): CrmRecord => ({
  key,
  fields,
});

export const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

/** The fault of a result; undefined if the record was written. */
export const faultIn = (result: CrmResult | undefined): CrmFault | undefined =>
  result !== undefined && 'fault' in result ? result.fault : undefined;

/** A refusal as HubSpot words it. */
export const refusalOf = (category: string | undefined, message: string, more: object = {}) => ({
  ...{ status: 'error', message, correlationId: 'c0895ebf-9e3e-4b7d-b6e6-124e02d3f9c3' },
  ...(category !== undefined && { category }),
  ...more,
});

/** A refusal that hides the property inside its message. */
export const problemOf = (code: string, name: string, message: string) => {
  const problem = JSON.stringify({ isValid: false, message, error: code, name });
  return refusalOf('VALIDATION_ERROR', `Property values were not valid: [${problem}]`);
};

export const limitOf = (policyName: string) => ({
  ...{ status: 'error', message: 'You have reached your limit.', errorType: 'RATE_LIMIT', policyName },
});

/** The model of each request, by its path; HubSpot's own models are classes of its client. */
const models: readonly (readonly [RegExp, string, string])[] = [
  [/\/batch\/upsert$/u, 'crm/objects', 'BatchInputSimplePublicObjectBatchInputUpsert'],
  [/\/batch\/update$/u, 'crm/objects', 'BatchInputSimplePublicObjectBatchInput'],
  [/\/batch\/read$/u, 'crm/objects', 'BatchReadInputSimplePublicObjectId'],
  [/\/batch\/archive$/u, 'crm/objects', 'BatchInputSimplePublicObjectId'],
  [/\/search$/u, 'crm/objects', 'PublicObjectSearchRequest'],
  [/\/associations\/.+\/batch\/create$/u, 'crm/associations/v4', 'BatchInputPublicAssociationMultiPost'],
  [/\/gdpr-delete$/u, 'crm/contacts', 'PublicGdprDeleteInput'],
  [/\/crm\/properties\/[^/]+\/[^/]+$/u, 'crm/properties', 'PropertyCreate'],
];

const load = createRequire(import.meta.url);
const client = dirname(load.resolve('@hubspot/api-client/package.json'));

const modelFaults = ({ method, path, body }: Asked): readonly string[] => {
  const found = models.find(([pattern]) => method === 'POST' && pattern.test(path));
  return found === undefined
    ? []
    : faultsOf(body, found[2], join(client, 'lib/codegen', found[1], 'models'), path);
};

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
}

/** What of a value a type does not allow. */
const faultsOf = (value: unknown, type: string, folder: string, at: string): readonly string[] => {
  const list = /^Array<(.+)>$/u.exec(type)?.[1];
  if (list !== undefined)
    return Array.isArray(value)
      ? value.flatMap((one, index) => faultsOf(one, list, folder, `${at}[${index}]`))
      : [`${at} is no list`];
  const map = /^\{ \[key: string\]: (.+); \}$/u.exec(type)?.[1];
  if (map !== undefined)
    return typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, one]) => faultsOf(one, map, folder, `${at}.${name}`))
      : [`${at} is no map`];
  if (['string', 'number', 'boolean'].includes(type))
    return typeof value === type ? [] : [`${at} is no ${type}`];
  if (/Enum$/u.test(type)) return typeof value === 'string' ? [] : [`${at} is no text`];
  return modelMembers(value, type, folder, at);
};

const modelMembers = (value: unknown, type: string, folder: string, at: string): readonly string[] => {
  const attributes = modelOf(type, folder);
  const given = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return [
    ...given.filter((name) => !attributes.has(name)).map((name) => `${at} has no member ${name}`),
    ...[...attributes].flatMap(([name, { type: of, isOptional }]) => {
      if (given.includes(name)) return faultsOf(memberOf(value, name), of, folder, `${at}.${name}`);
      return isOptional ? [] : [`${at} lacks ${name}`];
    }),
  ];
};

type Model = ReadonlyMap<string, { readonly type: string; readonly isOptional: boolean }>;
const loaded = new Map<string, Model>();

/** The members of a model. Which ones are optional only its declaration says. */
const modelOf = (type: string, folder: string): Model => {
  const path = join(folder, type);
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const declaring: { readonly getAttributeTypeMap: () => readonly Attribute[] } = load(`${path}.js`)[type];
  const declared = readFileSync(`${path}.d.ts`, 'utf8');
  const model = new Map(
    declaring
      .getAttributeTypeMap()
      .map(({ name, baseName, type: of }) => [
        baseName,
        { type: of, isOptional: declared.includes(`'${name}'?:`) },
      ]),
  );
  loaded.set(path, model);
  return model;
};
