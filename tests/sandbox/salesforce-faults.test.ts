import { createSign, generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { salesforceLogin } from '../../infra/sandbox/salesforce/server.ts';
import { type OpenOrg, openOrg } from './org.ts';

let org: OpenOrg;
beforeEach(async () => {
  org = await openOrg();
  onTestFinished(() => org.stop());
});

const refused = (errorCode: string) => [expect.objectContaining({ errorCode })];
const create = () => org.send('POST', '/sobjects/Contact', { LastName: 'Rossi' });

describe('faults', () => {
  test.each([
    [{ kind: 'down' }, 503, refused('SERVER_UNAVAILABLE')],
    [{ kind: 'html' }, 200, expect.stringContaining('<html>')],
    [{ kind: 'rate-limited' }, 403, refused('REQUEST_LIMIT_EXCEEDED')],
    [{ kind: 'daily-limit' }, 403, refused('REQUEST_LIMIT_EXCEEDED')],
    [{ kind: 'login-refused' }, 401, refused('INVALID_SESSION_ID')],
    [{ kind: 'missing-scope' }, 401, refused('INVALID_SESSION_ID')],
    [{ kind: 'missing-scope', object: 'Contact' }, 404, refused('NOT_FOUND')],
    [{ kind: 'missing-field', object: 'Contact', field: 'LastName' }, 400, refused('INVALID_FIELD')],
    [{ kind: 'row-lock', object: 'Contact' }, 400, refused('UNABLE_TO_LOCK_ROW')],
  ] as const)('%j, until it is ended', async (fault, status, body) => {
    const end = org.fault(fault);
    expect(await create()).toMatchObject({ status, body });
    end();
    expect(await create()).toMatchObject({ status: 201 });
  });

  test('a fault of one object leaves the others alone, and ends after its times', async () => {
    org.fault({ kind: 'row-lock', object: 'Contact', times: 1 });
    expect(await org.send('POST', '/sobjects/Account', { Name: 'Acme' })).toMatchObject({ status: 201 });
    const records = ['A', 'B'].map((LastName) => ({ attributes: { type: 'Contact' }, LastName }));
    const locked = expect.objectContaining({ success: false });
    expect(await org.send('POST', '/composite/sobjects', { records })).toMatchObject({
      body: [locked, locked],
    });
    expect(await create()).toMatchObject({ status: 201 });
  });

  test('a lost response: the write is done', async () => {
    org.fault({ kind: 'lost-response', times: 1 });
    await expect(create()).rejects.toThrow('fetch failed');
    expect(org.records('Contact')).toHaveLength(1);
  });

  test('an expired session ends until the next login', async () => {
    org.fault({ kind: 'expired-session' });
    expect(await create()).toMatchObject({ status: 401, body: refused('INVALID_SESSION_ID') });
    await org.login();
    expect(await create()).toMatchObject({ status: 201 });
  });

  test('are switched over HTTP too', async () => {
    const send = (method: string, path: string, body?: object) =>
      fetch(`${org.url}/sandbox/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    expect((await send('POST', 'fault', { kind: 'down' })).status).toBe(204);
    expect(await create()).toMatchObject({ status: 503 });
    expect((await send('DELETE', 'faults')).status).toBe(204);
    expect((await send('POST', 'records', { object: 'Account', fields: { Name: 'Acme' } })).status).toBe(201);
    expect(org.records('Account')).toHaveLength(1);
    expect((await send('POST', 'fault', { kind: 'sleepy' })).status).toBe(400);
  });
});

test('the daily allowance is counted and told', async () => {
  await org.stop();
  org = await openOrg({ dailyLimit: 2 });
  expect(await create()).toMatchObject({ headers: { 'sforce-limit-info': 'api-usage=1/2' } });
  expect(await org.send('GET', '/limits')).toMatchObject({
    body: { DailyApiRequests: { Max: 2, Remaining: 0 } },
  });
  expect(await create()).toMatchObject({ status: 403, body: refused('REQUEST_LIMIT_EXCEEDED') });
  expect([org.requests(), org.requests('POST /services/data/v62.0/sobjects')]).toEqual([3, 2]);
});

describe('duplicate rules', () => {
  const rule = { name: 'By_Email', object: 'Contact', match: [['Email']], action: 'alert' } as const;
  const row = { attributes: { type: 'Contact' }, LastName: 'Rossi', Email: 'Rossi@example.com' };

  test('name the records that are there, unless the caller saves all the same', async () => {
    const id = org.seed('Contact', { LastName: 'Rossi', Email: 'rossi@example.com' });
    org.activate([rule]);
    const duplicateResult = {
      allowSave: true,
      duplicateRule: 'By_Email',
      matchResults: [{ size: 1, matchRecords: [{ record: { Id: id } }] }],
    };
    expect(
      await org.send('POST', '/sobjects/Contact', { LastName: 'Rossi', Email: 'ROSSI@example.com' }),
    ).toMatchObject({
      status: 400,
      body: [{ errorCode: 'DUPLICATES_DETECTED', message: 'Use one of these records?', duplicateResult }],
    });
    const all = { records: [row] };
    expect(await org.send('POST', '/composite/sobjects', all)).toMatchObject({
      body: [{ success: false, errors: [{ statusCode: 'DUPLICATES_DETECTED', duplicateResult }] }],
    });
    const headers = { 'sforce-duplicate-rule-header': 'allowSave=true' };
    expect(await org.send('POST', '/composite/sobjects', all, headers)).toMatchObject({
      body: [{ success: true }],
    });
  });

  test('that block cannot be overruled', async () => {
    org.seed('Contact', { LastName: 'Rossi', Email: 'rossi@example.com' });
    org.activate([{ ...rule, action: 'block' }]);
    const headers = { 'sforce-duplicate-rule-header': 'allowSave=true' };
    expect(await org.send('POST', '/composite/sobjects', { records: [row] }, headers)).toMatchObject({
      body: [{ success: false }],
    });
  });
});

describe('logins', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const assertion = (claims: object, key = privateKey) => {
    const text = `${base64({ alg: 'RS256' })}.${base64(claims)}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
  };
  const claims = {
    iss: salesforceLogin.clientId,
    sub: salesforceLogin.username,
    aud: 'https://login.salesforce.com',
    exp: Date.parse('2026-05-04T10:03:00Z') / 1000,
  };
  const client = { client_id: salesforceLogin.clientId, client_secret: salesforceLogin.clientSecret };
  const { username, password, refreshToken } = salesforceLogin;
  const jwt = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' };
  const accepted = {
    token_type: 'Bearer',
    access_token: expect.any(String),
    instance_url: expect.any(String),
  };
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

  test.each([
    ['client credentials', { grant_type: 'client_credentials', ...client }, 200, accepted],
    [
      'a wrong secret',
      { grant_type: 'client_credentials', ...client, client_secret: 'x' },
      400,
      { error: 'invalid_client' },
    ],
    ['a password', { grant_type: 'password', ...client, username, password }, 200, accepted],
    [
      'a wrong password',
      { grant_type: 'password', ...client, username, password: 'x' },
      400,
      { error: 'invalid_grant', error_description: 'authentication failure' },
    ],
    [
      'a refresh token',
      { grant_type: 'refresh_token', ...client, refresh_token: refreshToken },
      200,
      accepted,
    ],
    [
      'an old refresh token',
      { grant_type: 'refresh_token', ...client, refresh_token: 'x' },
      400,
      { error: 'invalid_grant', error_description: 'expired access/refresh token' },
    ],
    ['a signed assertion', { ...jwt, assertion: assertion(claims) }, 200, accepted],
    [
      'an assertion of a stranger',
      { ...jwt, assertion: assertion(claims, stranger) },
      400,
      { error: 'invalid_grant' },
    ],
    [
      'an assertion for somebody else',
      { ...jwt, assertion: assertion({ ...claims, aud: 'https://example.com' }) },
      400,
      { error: 'invalid_grant' },
    ],
    [
      'an old assertion',
      { ...jwt, assertion: assertion({ ...claims, exp: 1 }) },
      400,
      { error: 'invalid_grant' },
    ],
    ['another grant', { grant_type: 'device', ...client }, 400, { error: 'unsupported_grant_type' }],
  ])('%s', async (_, form, status, body) => {
    await org.stop();
    org = await openOrg({ jwtKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() });
    const answer = await fetch(`${org.url}/services/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status, body });
  });
});
