import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CrmRecord, CrmSession } from '../../../../core/crm/connector.ts';
import {
  type Answer,
  accepting,
  type ScriptedHubspot,
  scriptedHubspot,
} from '../hubspot/scripted-hubspot.ts';
import { casesOf, type Fault, outcomesOf } from './kept.ts';

let hub: ScriptedHubspot;
let session: CrmSession;
beforeEach(async () => {
  hub = await scriptedHubspot();
  session = await hub.open();
});
afterEach(async () => {
  await hub.stop();
  expect(hub.invalid).toEqual([]);
});

const contacts = (...records: readonly CrmRecord[]) =>
  session.upsert('contacts', 'hub_id', records, hub.call);
const fresh = (key: string): CrmRecord => ({ key, fields: { lastname: key } });
const known = (id: string): CrmRecord => ({ key: `c${id}`, id, fields: { lastname: 'Name' } });

/** What the hub asks, so that HubSpot answers so. */
const questions = {
  'new contact': () => contacts(fresh('a')),
  // The keys are the trace ids of the inputs.
  'two new contacts': (one: string, other: string) => contacts(fresh(one), fresh(other)),
  'linked contacts': (one: string, other: string) => contacts(known(one), known(other)),
  'notes of contacts': (one: string, other: string) =>
    session.upsert(
      'notes',
      'hub_id',
      [one, other].map((contact, at) => ({
        key: `n${at}`,
        id: `5${at}`,
        fields: {},
        links: { contacts: contact },
      })),
      hub.call,
    ),
  search: async () => [
    ...(await session.find('contacts', { field: 'phone' }, ['(415) 555-0140'], [], hub.call)).values(),
  ],
  page: async () => {
    const { records, next } = await session.list('contacts', ['firstname'], undefined, hub.call);
    return [{ records: records.map(({ id, emails, fields }) => ({ id, emails, fields })), next }];
  },
  login: async () => {
    const secret = { clientId: 'app', clientSecret: 'secret', refreshToken: 'old' };
    await (await hub.open(secret)).read('contacts', ['1'], [], hub.call);
    return [];
  },
} as const;

interface Expected {
  readonly asked: keyof typeof questions;
  readonly with?: readonly [string, string];
  readonly is: readonly object[];
}
const invalid = (field?: string): Fault => ({ scope: 'record', why: 'invalid', ...(field && { field }) });
const lacking = (field?: string): Fault => ({ scope: 'object', why: 'setup', ...(field && { field }) });
const taken = (...records: string[]): Fault => ({
  ...{ scope: 'record', why: 'taken' },
  ...(records.length > 0 && { records }),
});
const throttled = (afterSeconds: number): Fault => ({ scope: 'connection', why: 'throttled', afterSeconds });
const one = (is: Fault, asked: keyof typeof questions = 'new contact'): Expected => ({ asked, is: [is] });

const expected: Readonly<Record<string, Expected>> = {
  'batch-create-success-201': {
    ...{ asked: 'linked contacts', with: ['171596044869', '171596044870'] },
    is: [{ id: '171596044869' }, { id: '171596044870' }],
  },
  'batch-create-partial-207': {
    ...{ asked: 'two new contacts', with: ['0', '1'] },
    is: [taken('171591000198'), { scope: 'record', why: 'raced' }],
  },
  'batch-create-conflict-409': one(taken()),
  'batch-create-invalid-properties-400': one(lacking('first000name')),
  'batch-update-duplicate-ids-400': one(invalid()),
  'batch-update-partial-207': {
    ...{ asked: 'linked contacts', with: ['171591000199', 'unknownIdentifier888'] },
    is: [{ id: '171591000199' }, { scope: 'record', why: 'gone' }],
  },
  'missing-scopes-403': one(lacking()),
  'search-unknown-object-400': one(lacking(), 'search'),
  'search-page-200': {
    asked: 'page',
    is: [
      {
        records: [{ id: '501', emails: ['johnnie77@hotmail.com'], fields: { firstname: 'Johnnie' } }],
        next: '54',
      },
    ],
  },
  'association-batch-errors-207': {
    ...{ asked: 'notes of contacts', with: ['unknown_id_123456798', '211762804612'] },
    is: [invalid('contacts'), invalid('contacts')],
  },
  'multi-status-docs-207': {
    ...{ asked: 'two new contacts', with: ['549b1c2a9351', 'b'] },
    is: [lacking('missing'), { scope: 'record', why: 'raced' }],
  },
  'batch-upsert-partial-2026-09-200': {
    ...{ asked: 'two new contacts', with: ['t1', 't2'] },
    is: [{ id: '101' }, taken('171591000198')],
  },
  'validation-error-400': one(invalid('discount')),
  'contact-exists-409': one(taken('12345')),
  'invalid-email-400': one(invalid('email')),
  'rate-limit-ten-secondly-429': one(throttled(10)),
  'rate-limit-secondly-429': one(throttled(1), 'search'),
  'rate-limit-daily-429': one(throttled(1200)),
  'locked-423': one({ scope: 'record', why: 'raced', afterSeconds: 2 }),
  'migration-in-progress-477': one(throttled(3600)),
  'expired-token-401': one({ scope: 'connection', why: 'setup' }),
  'invalid-auth-401': one({ scope: 'connection', why: 'setup' }),
  'oauth-bad-refresh-token-400': one({ scope: 'connection', why: 'setup' }, 'login'),
  'upsert-non-unique-property-400': one(lacking('domain')),
  'too-many-merges-414': one(invalid()),
  'bad-gateway-502-html': one({ scope: 'connection', why: 'down' }),
  'empty-inputs-silent-noop-200': one({ scope: 'record', why: 'raced' }),
};

it.each(casesOf('hubspot', expected))('$name', async ({ expected: { asked, with: ids, is }, response }) => {
  const { status, body, text } = response;
  const answer: Answer = {
    ...{ status, body, ...(text !== undefined && { text }) },
    headers: { date: 'Tue, 03 Mar 2026 14:40:00 GMT', ...response.headers },
  };
  // What HubSpot answers to links comes after the records were written.
  hub.script = (question) =>
    asked === 'notes of contacts' && !question.path.includes('/associations/') ? accepting(question) : answer;
  expect(await outcomesOf(questions[asked](...(ids ?? ['a', 'b'])))).toEqual(is);
});
