import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { httpConnector } from '../../../../connectors/crm/http/index.ts';
import { type Call, type CrmRecord, unsharedToken } from '../../../../core/crm/connector.ts';
import { HttpSection } from '../../../../core/crm/mapping/http.ts';
import { knownCrms } from '../http-answers.ts';
import { casesOf, type Fault, outcomesOf, type Response } from './kept.ts';

// CRMs that have no connector of their own are reached through `http`, by a mapping.

const call: Call = { signal: new AbortController().signal, spend: async () => {}, sleep: async () => {} };
const known: CrmRecord = { key: 'acme:c1', id: '1', fields: { name: 'Ada' } };
const fresh: CrmRecord = { key: 'acme:c1', fields: { name: 'Ada' } };

/** Writes a record to a CRM that answers so. */
const written = async (
  section: object,
  object: string,
  record: CrmRecord,
  response: Response,
): Promise<readonly unknown[]> => {
  const http = HttpSection.parse({ host: 'https://crm.example.com', ...section });
  const { status, headers, body, text } = response;
  const answers: typeof fetch = async (_, init) => {
    const asked = String(init?.body ?? '');
    // Nobody is found before, and the login succeeds.
    const isBefore = asked.includes('search_read') || asked.includes('login');
    return isBefore
      ? Response.json({ result: asked.includes('login') ? [1, 'token'] : [] })
      : new Response(text ?? JSON.stringify(body), { status, ...(headers && { headers }) });
  };
  const connector = httpConnector({
    ...{ crm: 'other', title: 'The CRM', section: async () => http },
    world: { fetch: answers, now: () => Date.parse('2026-03-02T09:00:00Z'), isLocal: false },
  });
  const secret = { database: 'd', user: 'u', password: 'p' };
  const session = await connector.open(secret, unsharedToken, call.signal);
  return outcomesOf(session.upsert(object, 'hub', [record], call));
};

/** A CRM in which a record is created, or changed by its id. */
const objects = {
  people: {
    create: { request: 'POST /people', json: '{{ record.values }}', id: 'body.id' },
    update: { request: 'PUT /people/{{ record.id }}', json: '{{ record.values }}' },
    find: { field: { request: 'POST /search_read', batch: 10, json: 'search_read', records: 'body.result' } },
  },
};

interface Expected {
  /** Whether the record's id in the CRM is known. */
  readonly isLinked?: true;
  readonly is: Fault | { readonly id: string };
}
const is = (scope: Fault['scope'], why: Fault['why'], more: Partial<Fault> = {}): Expected => ({
  is: { scope, why, ...more },
});

const others: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  zendesk: {
    'duplicate-422': is('record', 'taken'),
    'record-validation-422': is('record', 'invalid'),
    'forbidden-403': is('object', 'setup'),
    'not-found-404': { ...is('object', 'setup'), isLinked: true },
    'missing-parameter-400': is('object', 'setup'),
    'server-error-500': is('connection', 'down'),
  },
  dynamics: {
    'throttled-requests-429': is('connection', 'throttled', { afterSeconds: 12 }),
    'throttled-concurrency-429': is('connection', 'throttled', { afterSeconds: 5 }),
    'alternate-key-violated-412': is('record', 'taken'),
    'resource-not-found-404': { ...is('object', 'setup'), isLinked: true },
  },
  pipedrive: { 'scope-mismatch-403': is('connection', 'setup') },
  rt5: {
    'ticket-created-201': { is: { id: '1' } },
    'duplicate-user-400': is('record', 'taken'),
    'etag-mismatch-412': { ...is('record', 'raced'), isLinked: true },
    'unknown-queue-403': is('object', 'setup'),
    'not-found-404': { ...is('record', 'gone'), isLinked: true },
    'unauthorized-401': is('connection', 'setup'),
  },
};
/** Zendesk names the member that is taken, here one of a brand. */
const subdomain = {
  when: { body: { details: { 'route.subdomain': { error: ['DuplicateValue'] } } } },
  ...{ scope: 'record', why: 'taken' },
};
const rulesOf = (crm: string): object => {
  const name = crm === 'rt5' ? 'requestTracker' : crm;
  return { errors: [subdomain, ...(knownCrms[name]?.errors ?? [])], objects };
};

it.each(
  Object.entries(others).flatMap(([crm, expected]) => casesOf(crm, expected).map((one) => ({ crm, ...one }))),
)('$crm: $name', async ({ crm, expected: { isLinked, is: outcome }, response }) => {
  expect(await written(rulesOf(crm), 'people', isLinked ? known : fresh, response)).toEqual([outcome]);
});

const tryton: Readonly<Record<string, Expected>> = {
  'create-200': { is: { id: '1' } },
  'unique-violation-200': is('record', 'raced'),
  'stale-write-200': { ...is('record', 'raced'), isLinked: true },
  'unknown-field-200': is('object', 'setup'),
};
const { http: trytonSection } = z
  .object({ http: z.record(z.string(), z.unknown()) })
  .parse(parse(readFileSync(new URL('../../../../docs/examples/tryton.yaml', import.meta.url), 'utf8')));

it.each(casesOf('tryton', tryton))(
  'tryton: $name',
  async ({ expected: { isLinked, is: outcome }, response }) => {
    const record = isLinked ? known : fresh;
    expect(await written(trytonSection, 'party.party', record, response)).toEqual([outcome]);
  },
);

/** The import set of an instance whose transform map has a field that coalesces. */
const importSet = {
  success: { status: [201] },
  errors: [{ when: { row: { status: ['error'] } }, scope: 'record', why: 'invalid' }],
  objects: {
    people: {
      upsert: {
        request: 'POST /api/now/import/u_hub_customer_import/insertMultiple',
        batch: 200,
        json: { records: [{ $each: 'records', $as: 'one', $value: '{{ one.values }}' }] },
        rows: 'body.result',
        id: 'row.sys_id',
      },
    },
  },
};

it.each(
  casesOf(
    'servicenow',
    { 'import-set-201': { is: { id: 'b'.repeat(32) } }, 'import-set-row-error-201': is('record', 'invalid') },
    'others',
  ),
)('servicenow: $name', async ({ expected, response }) => {
  expect(await written(importSet, 'people', fresh, response)).toEqual([expected.is]);
});
