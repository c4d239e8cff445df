import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hubspot } from '../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../connectors/crm/salesforce/index.ts';
import type { CrmSession } from '../../core/crm/connector.ts';
import { HubError } from '../../core/errors.ts';
import { deliveryOf } from '../../functions/record/messages/decode.ts';
import { type HubspotSandbox, hubspotSandbox, hubspotToken } from '../../infra/sandbox/hubspot/server.ts';
import {
  type SalesforceSandbox,
  salesforceCredentials,
  salesforceSandbox,
} from '../../infra/sandbox/salesforce/server.ts';
import { crmFields } from '../../infra/scenario/hub/sandboxes.ts';
import { salesforce as changes } from '../../mappings/channels/salesforce.ts';

const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ({
    key: `c${from + at}`,
    fields: { LastName: `Name ${from + at}` },
  }));
const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('Salesforce through jsforce', () => {
  let sandbox: SalesforceSandbox;
  let session: CrmSession;

  beforeEach(async () => {
    sandbox = await salesforceSandbox(new DatabaseSync(':memory:'), crmFields.salesforce);
    session = await salesforce.open({ loginUrl: sandbox.url, ...salesforceCredentials });
  });
  afterEach(() => sandbox.stop());

  it('upserts 2,000 contacts in two calls, and again without duplicates', async () => {
    const first = await session.upsert('Contact', 'Hub_Id__c', people(2000));
    expect(sandbox.calls()).toBe(2);
    const again = await session.upsert('Contact', 'Hub_Id__c', people(2000));
    expect(again).toEqual(first);
    expect(sandbox.records.of('Contact')).toHaveLength(2000);
  });

  it('sends its client name, and ignores its own changes in change events', async () => {
    await session.upsert('Contact', 'Hub_Id__c', people(1));
    const [client = ''] = sandbox.clients;
    const message = {
      ...{
        type: 'delivery' as const,
        id: 'e',
        provider: 'salesforce',
        receivedAt: '2026-03-02T09:00:00.000Z',
      },
      request: { method: 'EVENT', url: '', headers: {} },
    };
    const decoded = async (origin: string) => {
      const header = {
        ...{ entityName: 'Contact', recordIds: ['003'], changeType: 'UPDATE', transactionKey: 't' },
        ...{ sequenceNumber: 1, changeOrigin: `com/salesforce/api/rest/65.0;client=${origin}` },
      };
      const event = { id: 'e', 'detail-type': 'ContactChangeEvent', source: 'aws.partner/salesforce.com/x' };
      const body = JSON.stringify({ ...event, detail: { payload: { ChangeEventHeader: header } } });
      return changes.decode(deliveryOf(message, Buffer.from(body)));
    };
    expect(await decoded(client)).toEqual({ interactions: [], ignored: ['own-change'] });
    expect((await decoded('Dataloader')).interactions).toHaveLength(1);
  });

  it('fails one bad record alone, with advice', async () => {
    const results = await session.upsert('Contact', 'Hub_Id__c', [
      ...people(2),
      { key: 'bad', fields: { FirstName: 'Ada' } },
      { key: 'odd', fields: { LastName: 'x', Nope__c: 1 } },
      { key: 'long', fields: { LastName: 'x'.repeat(81) } },
    ]);
    expect(results.slice(0, 2).every((result) => 'id' in result)).toBe(true);
    expect(
      results.slice(2).map((result) => 'error' in result && [result.error.code, result.error.retry]),
    ).toEqual([
      ['salesforce-required_field_missing', 'never'],
      ['salesforce-invalid_field', 'never'],
      ['salesforce-string_too_long', 'never'],
    ]);
    expect(
      'error' in (results[2] ?? {}) && String((results[2] as { error: HubError }).error.message),
    ).toContain('mappings/crm/salesforce.yaml');
  });

  it('renews an expired session once', async () => {
    sandbox.expireSessions();
    expect(await session.upsert('Contact', 'Hub_Id__c', people(1))).toMatchObject([
      { key: 'c0', id: expect.stringMatching(/^003/) },
    ]);
  });

  it('delays every record when the daily allocation is used up, the org is unavailable, or the secret is wrong', async () => {
    sandbox.fail({ status: 403, code: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' });
    expect(await caught(session.upsert('Contact', 'Hub_Id__c', people(1)))).toMatchObject({
      retry: { afterSeconds: 900 },
    });
    sandbox.fail({ status: 503, code: 'SERVER_UNAVAILABLE', message: 'away' });
    expect(await caught(session.upsert('Contact', 'Hub_Id__c', people(1)))).toMatchObject({ retry: 'later' });
    sandbox.fail(undefined);
    expect(
      await caught(salesforce.open({ loginUrl: sandbox.url, clientId: 'x', clientSecret: 'y' })),
    ).toBeInstanceOf(HubError);
  });
});

describe('HubSpot through its own client', () => {
  let sandbox: HubspotSandbox;
  let session: CrmSession;
  const contact = (key: string, email = `${key}@example.com`) => ({ key, fields: { email, lastname: key } });

  beforeEach(async () => {
    sandbox = await hubspotSandbox(new DatabaseSync(':memory:'), crmFields.hubspot);
    session = await hubspot.open({ accessToken: hubspotToken, baseUrl: sandbox.url });
  });
  afterEach(() => sandbox.stop());

  it('upserts 250 contacts in three calls, and an activity with its contact', async () => {
    const results = await session.upsert(
      'contacts',
      'hub_id',
      Array.from({ length: 250 }, (_, at) => contact(`c${at}`)),
    );
    expect(sandbox.calls()).toBe(3);
    const [first] = results;
    const noted = await session.upsert('notes', 'hub_id', [
      {
        key: 'i1',
        fields: { hs_note_body: 'Hello', hs_timestamp: '2026-03-01T09:00:00Z' },
        contact: first && 'id' in first ? first.id : '',
      },
    ]);
    expect(noted).toMatchObject([{ key: 'i1', id: expect.any(String) }]);
  });

  it('reads the errors inside a 207', async () => {
    const results = await session.upsert('contacts', 'hub_id', [
      contact('good'),
      contact('bad', 'no address'),
      contact('also'),
    ]);
    expect(results.map((result) => ('error' in result ? result.error.code : 'ok'))).toEqual([
      'ok',
      'hubspot-validation-error',
      'ok',
    ]);
  });

  it('splits a refused batch until the conflicting contact is alone', async () => {
    await session.upsert('contacts', 'hub_id', [contact('first', 'ada@example.com')]);
    const results = await session.upsert('contacts', 'hub_id', [
      contact('a'),
      contact('b'),
      contact('thief', 'ada@example.com'),
      contact('c'),
    ]);
    expect(results.map((result) => ('error' in result ? result.error.code : 'ok'))).toEqual([
      'ok',
      'ok',
      'hubspot-conflict',
      'ok',
    ]);
  });

  it('waits for the time of Retry-After, and delays every record when the token is wrong', async () => {
    sandbox.fail({ status: 429, category: 'RATE_LIMITS', retryAfter: 7 });
    expect(await caught(session.upsert('contacts', 'hub_id', [contact('a')]))).toMatchObject({
      retry: { afterSeconds: 7 },
    });
    sandbox.fail(undefined);
    const stranger = await hubspot.open({ accessToken: 'wrong', baseUrl: sandbox.url });
    expect(await caught(stranger.upsert('contacts', 'hub_id', [contact('a')]))).toMatchObject({
      code: 'unavailable-crm',
    });
  });
});
