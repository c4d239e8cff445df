import { createHash, createHmac } from 'node:crypto';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { HttpRequest, HttpSection } from '../../../core/crm/mapping/http.ts';
import { jsonWithin } from '../../../core/formats/payload.ts';
import type { Answer } from './answer.ts';
import { bodyOf, certainTextOf, pathOf, textOf, UnfilledTemplate, type Variables } from './templates.ts';

/** What a connector needs of the world. */
export interface HttpEnvironment {
  readonly fetch: typeof fetch;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Whether the hub runs on this machine, where http://127.0.0.1 may be a host. */
  readonly isLocal: boolean;
}

/** A request ready to be sent. */
export interface Prepared {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | undefined;
}

/**
 * Fills the templates of a request. `secret` and `token` are variables too. Throws a `CrmFault`: of the connection where a
 * credential is missing, of the record where one of its values cannot stand in its place.
 */
export const prepare = (
  { crm, title, http, secret }: PreparePorts,
  request: HttpRequest,
  variables: Variables & { readonly token?: string | undefined },
  { isCreation = false, now }: { readonly isCreation?: boolean; readonly now: number },
): Prepared => {
  const all = { ...variables, secret };
  const [method = '', line = ''] = splitLine(request.request);
  try {
    const url = urlOf(http.host, pathOf(line, all), request.query, all);
    const { text, type } = encodedBody(request, all);
    const headers = new Headers({ accept: 'application/json', ...(type && { 'content-type': type }) });
    const add = (name: string, value: string): void => headers.set(name, printable(name, value));
    for (const [name, template] of Object.entries({ ...http.headers, ...request.headers }))
      add(name, certain(crm, title, template, all));
    if (http.auth !== undefined)
      add(
        'authorization',
        authorization(http.auth, (template) => certain(crm, title, template, all)),
      );
    if (isCreation && http.idempotencyKey !== undefined)
      add(http.idempotencyKey, digestOf(method, url.pathname, text ?? ''));
    if (http.sign !== undefined)
      for (const [name, value] of standardWebhooks(
        certain(crm, title, http.sign.standardWebhooks, all),
        text ?? '',
        now,
      ))
        add(name, value);
    return { url, method, headers, body: text };
  } catch (error) {
    if (!(error instanceof UnfilledTemplate)) throw error;
    throw new CrmFault(
      'http-invalid',
      `A request to ${title} cannot be made of mappings/crm/${crm}.yaml: ${error.message}.`,
      {
        ...{ scope: 'record', why: 'invalid', cause: error },
      },
    );
  }
};

export interface PreparePorts {
  readonly crm: string;
  readonly title: string;
  readonly http: HttpSection;
  readonly secret: unknown;
}

const splitLine = (line: string): [string, string] => {
  const at = line.indexOf(' ');
  return [line.slice(0, at), line.slice(at + 1)];
};

/** The address of a path, which begins with a / and so never changes the host. */
const urlOf = (host: string, path: string, query: HttpRequest['query'], variables: Variables): URL => {
  const url = new URL(host + path);
  for (const [name, template] of Object.entries(query ?? {}))
    url.searchParams.append(textOf(name, variables), textOf(template, variables));
  return url;
};

const encodedBody = (
  { json, form }: HttpRequest,
  variables: Variables,
): { readonly text?: string; readonly type?: string } => {
  if (json !== undefined)
    return { text: JSON.stringify(bodyOf(json, variables) ?? null), type: 'application/json' };
  if (form === undefined) return {};
  const fields = new URLSearchParams(
    Object.entries(form).map(([name, template]): [string, string] => [name, textOf(template, variables)]),
  );
  return { text: fields.toString(), type: 'application/x-www-form-urlencoded' };
};

/** A header may hold a credential: none of its variables may be missing. */
const certain = (crm: string, title: string, template: string, variables: Variables): string => {
  try {
    return certainTextOf(template, variables);
  } catch (error) {
    if (!(error instanceof UnfilledTemplate)) throw error;
    throw new CrmFault(
      'http-setup',
      `The secret of ${title} lacks what a header of mappings/crm/${crm}.yaml needs: ${error.message}. Store it; the hub uses it within a minute.`,
      { scope: 'connection', why: 'setup', cause: error },
    );
  }
};

const authorization = (
  auth: NonNullable<HttpSection['auth']>,
  fill: (template: string) => string,
): string => {
  if ('bearer' in auth) return `Bearer ${notEmpty(fill(auth.bearer))}`;
  const pair = `${notEmpty(fill(auth.basic.user))}:${fill(auth.basic.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
};

const notEmpty = (credential: string): string => {
  if (credential.trim() !== '') return credential;
  throw new CrmFault(
    'http-setup',
    'A credential of the CRM is empty. Store it; the hub uses it within a minute.',
    {
      ...{ scope: 'connection', why: 'setup' },
    },
  );
};

const printable = (name: string, value: string): string => {
  if (/^[\t\x20-\x7e\xa0-\xff]*$/u.test(value)) return value;
  throw new UnfilledTemplate(`the header ${name} would hold characters that none may hold`);
};

/** The same for every try of one creation. */
const digestOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const standardWebhooks = (secret: string, body: string, now: number): [string, string][] => {
  const key = Buffer.from(notEmpty(secret).replace(/^whsec_/u, ''), 'base64');
  const seconds = String(Math.floor(now / 1000));
  const id = `msg_${digestOf(body, seconds).slice(0, 27)}`;
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return [
    ['webhook-id', id],
    ['webhook-timestamp', seconds],
    ['webhook-signature', `v1,${mac}`],
  ];
};

const MOST_BYTES = 5 * 1024 * 1024;
const MOST_MS = 20_000;

/** Sends a request, once. Rejects with a fault `down` where there is no answer that can be used. */
export const exchange = async (
  title: string,
  { url, method, headers, body }: Prepared,
  signal: AbortSignal,
  send: typeof fetch,
): Promise<Answer> => {
  const until = AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]);
  try {
    const response = await send(url, {
      ...{ method, headers, redirect: 'manual', signal: until },
      ...(body !== undefined && { body }),
    });
    const text = await textWithin(response, MOST_BYTES);
    const parsed = text === '' ? undefined : jsonWithin(text);
    return { status: response.status, headers: Object.fromEntries(response.headers), body: parsed ?? text };
  } catch (error) {
    if (error instanceof CrmFault) throw error;
    const what = until.aborted ? 'did not answer in time' : 'could not be reached, or its answer was lost';
    throw new CrmFault('unavailable-crm', `${title} ${what}.`, {
      ...{ scope: 'connection', why: 'down', cause: error },
    });
  }
};

const textWithin = async (response: Response, most: number): Promise<string> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > most)
      throw new CrmFault(
        'http-setup',
        `An answer has more than ${most / 1024 / 1024} MB. Ask for fewer fields, or lower \`batch\`, in mappings/crm/.`,
        { scope: 'object', why: 'setup' },
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
};
