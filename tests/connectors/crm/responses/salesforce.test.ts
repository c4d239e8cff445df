import { afterEach, beforeEach, expect, it } from 'vitest';
import { salesforce } from '../../../../connectors/crm/salesforce/index.ts';
import { valueDigest } from '../../../../core/crm/change.ts';
import { type Call, type CrmSession, unsharedToken } from '../../../../core/crm/connector.ts';
import { decodeWith } from '../../../support/decode.ts';
import {
  accept,
  described,
  type Said,
  type ScriptedSalesforce,
  scriptedSalesforce,
} from '../scripted-salesforce.ts';
import { casesOf, type Fault, outcomesOf, responsesOf } from './kept.ts';

let server: ScriptedSalesforce;
let session: CrmSession;
let observed: unknown[];
let call: Call;
beforeEach(async () => {
  server = await scriptedSalesforce();
  observed = [];
  call = {
    signal: AbortSignal.timeout(20_000),
    spend: async () => {},
    sleep: async () => {},
    observe: (quota) => observed.push(quota),
  };
  server.script.part = described(accept);
  session = await open();
});
afterEach(() => server.stop());

const open = () =>
  salesforce.open(
    { loginUrl: server.url, clientId: 'app', clientSecret: 'secret' },
    unsharedToken,
    AbortSignal.timeout(20_000),
  );
const known = (number: number) => ({ key: `c${number}`, id: `00300000000000${number}AAA`, fields: {} });
const fresh = (number: number) => ({ key: `c${number}`, fields: { LastName: 'Name' } });

/** What the hub asks, so that Salesforce answers so. */
const questions = {
  'new contact': () => session.upsert('Contact', 'Hub_Id__c', [fresh(1)], call),
  'two new contacts': () => session.upsert('Contact', 'Hub_Id__c', [fresh(1), fresh(2)], call),
  'linked contact': () => session.upsert('Contact', 'Hub_Id__c', [known(1)], call),
  'two linked contacts': () => session.upsert('Contact', 'Hub_Id__c', [known(1), known(2)], call),
  'look-up': async () => {
    await session.find('Contact', 'email', ['ada@example.com'], [], call);
    return [];
  },
  'new field': async () => {
    await session.createKeyField?.('Contact', 'Hub_Id__c', call);
    return [];
  },
  login: async () => {
    await open();
    return [];
  },
} as const;

interface Expected {
  readonly asked: keyof typeof questions;
  /** The answer is to a row of a collection, to the whole request, or, by default, to one collection of a request. */
  readonly of?: 'row' | 'request';
  /** The answer comes once, and Salesforce accepts what is sent then. */
  readonly once?: true;
  readonly is: readonly (Fault | { readonly id: string })[];
}
const invalid = (field?: string): Fault => ({ scope: 'record', why: 'invalid', ...(field && { field }) });
const setup: Fault = { scope: 'connection', why: 'setup' };
const down: Fault = { scope: 'connection', why: 'down' };
const RACED: Fault = { scope: 'record', why: 'raced' };

const expected: Readonly<Record<string, Expected>> = {
  'create-201': { asked: 'new field', of: 'request', is: [] },
  'collections-create-200': {
    asked: 'two new contacts',
    is: [{ id: '003ak00000luKU1AAM' }, { id: '003ak00000luKU2AAM' }],
  },
  'collections-allornone-rollback-200': { asked: 'two new contacts', is: [invalid('LastName'), RACED] },
  'collections-empty-400': { asked: 'new contact', is: [invalid()] },
  'collections-missing-id-200': { asked: 'two linked contacts', is: [invalid(), invalid()] },
  'collections-upsert-partial-200': {
    asked: 'two new contacts',
    is: [{ scope: 'record', why: 'taken' }, { id: '003RM0000068xVCYAY' }],
  },
  'upsert-created-201': { asked: 'new contact', of: 'row', is: [{ id: '00190000001pPvHAAU' }] },
  'upsert-updated-200': { asked: 'new contact', of: 'row', is: [{ id: '00190000001pPvHAAU' }] },
  'upsert-multiple-choices-300': {
    asked: 'new contact',
    is: [{ scope: 'record', why: 'taken', records: ['a01xx0000000001AAA', 'a01xx0000000002AAA'] }],
  },
  'malformed-id-save-result': { asked: 'linked contact', of: 'row', is: [invalid()] },
  'required-field-missing-400': { asked: 'new contact', is: [invalid('Name')] },
  'entity-is-deleted-404': { asked: 'linked contact', is: [{ scope: 'record', why: 'gone' }] },
  'field-not-writable-400': {
    asked: 'linked contact',
    is: [{ scope: 'object', why: 'setup', field: 'MasterRecordId' }],
  },
  'unknown-field-400': {
    asked: 'linked contact',
    is: [{ scope: 'object', why: 'setup', field: 'AccountNumer' }],
  },
  'unknown-object-400': { asked: 'look-up', is: [{ scope: 'object', why: 'setup' }] },
  'not-found-404': { asked: 'new contact', is: [{ scope: 'object', why: 'setup', field: 'Hub_Id__c' }] },
  'external-id-parent-not-found-400': { asked: 'new contact', is: [invalid('Hub_Id__c')] },
  'duplicate-value-400': {
    asked: 'new contact',
    is: [{ scope: 'record', why: 'taken', field: 'AssigneeId' }],
  },
  'duplicate-external-id-400': {
    asked: 'new contact',
    is: [{ scope: 'record', why: 'taken', field: 'NozzleAccountId__c', records: ['001Vr00000m4eGCIAY'] }],
  },
  'duplicates-detected-400': { asked: 'new contact', is: [{ scope: 'record', why: 'taken' }] },
  // Only the row that was locked is sent again.
  'row-lock-collections-200': {
    asked: 'two new contacts',
    once: true,
    is: [{ id: '003000000000000AAA' }, { id: '003xx000004TmiQAAS' }],
  },
  'row-lock-single-400': { asked: 'new contact', once: true, is: [{ id: '003000000000000AAA' }] },
  'session-expired-401': { asked: 'linked contact', of: 'request', is: [setup] },
  'session-not-valid-for-rest-401': { asked: 'linked contact', of: 'request', is: [setup] },
  'request-limit-exceeded-403': {
    asked: 'linked contact',
    of: 'request',
    is: [{ scope: 'connection', why: 'throttled', afterSeconds: 3600 }],
  },
  'server-unavailable-503': { asked: 'linked contact', of: 'request', is: [down] },
  'maintenance-html-503': { asked: 'linked contact', of: 'request', is: [down] },
  'oauth-invalid-grant-400': { asked: 'login', is: [setup] },
  'oauth-inactive-user-400': { asked: 'login', is: [setup] },
};

const EVENT = 'cdc-contact-update-event';

it.each(casesOf('salesforce', expected, [EVENT]))('$name', async ({ expected: one, response }) => {
  const { asked, of, once, is } = one;
  const said: Said = {
    status: of === 'row' ? 200 : response.status,
    ...(response.headers && { headers: response.headers }),
    ...(response.text === undefined
      ? { body: of === 'row' ? [response.body] : response.body }
      : { text: response.text }),
  };
  let isFirst = true;
  if (asked === 'login') server.script.login = () => said;
  else if (asked === 'new field')
    server.script.whole = ({ path }) => (path.startsWith('/tooling/') ? said : undefined);
  else if (of === 'request') server.script.whole = () => said;
  else
    server.script.part = described((sent) => {
      if (once && !isFirst) return accept(sent);
      isFirst = false;
      return said;
    });
  expect(await outcomesOf(questions[asked]())).toEqual(is);
});

it(EVENT, async () => {
  const envelope = {
    ...{ version: '0', id: 'e1', 'detail-type': 'ContactChangeEvent', account: '123456789012' },
    ...{ source: 'aws.partner/salesforce.com/00Dxx/0YLxx', time: '2025-04-24T13:18:27Z' },
    detail: { payload: responsesOf('salesforce')[EVENT]?.body },
  };
  const { interactions } = await decodeWith('salesforce', envelope, {}, 'EVENT');
  expect(interactions).toMatchObject([
    {
      identifiers: ['salesforce:003ak00000IiFInAAN'],
      profile: { name: { last: 'Youngest' } },
      change: {
        ...{ object: 'Contact', id: '003ak00000IiFInAAN', act: 'changed', at: '2025-04-24T13:18:26.000Z' },
        fields: { LastName: valueDigest('Youngest') },
      },
    },
  ]);
  // Another client of the API made it, not the hub.
  expect(interactions[0]?.change).not.toHaveProperty('own');
});
