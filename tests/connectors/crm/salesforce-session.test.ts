import { createVerify, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { type Call, type SharedToken, unsharedToken } from '../../../core/crm/connector.ts';
import { accept, described, type ScriptedSalesforce, scriptedSalesforce } from './scripted-salesforce.ts';

let server: ScriptedSalesforce;
const patience = () => AbortSignal.timeout(60_000);
const call: Call = { signal: patience(), spend: async () => {}, sleep: async () => {} };
const people = [{ key: 'c0', fields: { LastName: 'x' } }];
const secret = () => ({ loginUrl: `${server.url}/`, clientId: 'app', clientSecret: 'secret' });
const open = (raw: unknown, token: SharedToken = unsharedToken) => salesforce.open(raw, token, patience());
const write = async (raw: unknown = secret(), one: Call = call) =>
  (await open(raw)).upsert('Contact', 'Hub_Id__c', people, one);
const refusedLogin = (error: string, status = 400) => {
  server.script.login = () => ({ status, body: { error, error_description: 'no' } });
};
const EXPIRED = {
  status: 401,
  body: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
};

beforeEach(async () => {
  server = await scriptedSalesforce();
  server.script.part = described(accept);
});
afterEach(() => server.stop());

describe('a login', () => {
  it('by client credentials', async () => {
    await write();
    expect(server.logins.map(({ body }) => body)).toEqual([
      { grant_type: 'client_credentials', client_id: 'app', client_secret: 'secret' },
    ]);
    expect(server.requests[0]?.headers['authorization']).toBe('Bearer token-1');
  });

  it('by a refresh token, with or without a secret', async () => {
    const { clientSecret: _, ...without } = secret();
    await write({ ...without, refreshToken: 'r' });
    await write({ ...secret(), refreshToken: 'r' });
    expect(server.logins.map(({ body }) => body)).toEqual([
      { grant_type: 'refresh_token', client_id: 'app', refresh_token: 'r' },
      { grant_type: 'refresh_token', client_id: 'app', refresh_token: 'r', client_secret: 'secret' },
    ]);
  });

  it('by an assertion that the private key signs, for two minutes of the time of Salesforce', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const jwt = { loginUrl: server.url, clientId: 'app', username: 'hub@example.com' };
    await write({ ...jwt, privateKey: pem.replaceAll('\n', '\\n') });
    const [sent] = server.logins;
    const body = sent?.body as { grant_type: string; assertion: string };
    expect(body.grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [head = '', claims = '', signature = ''] = body.assertion.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(head)).toEqual({ alg: 'RS256', typ: 'JWT' });
    expect(read(claims)).toEqual({
      ...{ iss: 'app', sub: 'hub@example.com', aud: server.url, exp: expect.any(Number) },
    });
    const verifier = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    expect(verifier.verify(publicKey, signature, 'base64url')).toBe(true);
    await expect(write({ ...jwt, privateKey: 'no key' })).rejects.toMatchObject({
      ...{ scope: 'connection', why: 'setup', message: expect.stringContaining('privateKey') },
    });
  });

  it.each([
    ['nothing', undefined, ['loginUrl', 'clientId', 'clientSecret']],
    ['an empty secret', {}, ['loginUrl', 'clientId', 'clientSecret']],
    [
      'an empty key',
      { loginUrl: 'https://x.my.salesforce.com', clientId: 'a', clientSecret: ' ' },
      ['clientSecret'],
    ],
    [
      'a JWT without its key',
      { loginUrl: 'https://x.my.salesforce.com', clientId: 'a', username: 'u' },
      ['privateKey'],
    ],
    [
      'an empty refresh token',
      { loginUrl: 'no address', clientId: 'a', refreshToken: '' },
      ['loginUrl', 'refreshToken'],
    ],
  ])('is refused before any request with %s, naming the keys', async (_, raw, keys) => {
    await expect(open(raw)).rejects.toMatchObject({
      ...{ scope: 'connection', why: 'setup', retry: 'never' },
      message: expect.stringContaining(`not complete: ${keys.join(', ')} missing`),
    });
  });

  it.each([
    ['invalid_grant', 400, 'setup'],
    ['inactive_user', 400, 'setup'],
    ['invalid_client', 401, 'setup'],
    ['rate_limit_exceeded', 400, 'throttled'],
    ['temporarily_unavailable', 503, 'down'],
  ])('that is refused with %s is a fault of the connection', async (error, status, why) => {
    refusedLogin(error, status);
    await expect(open(secret())).rejects.toMatchObject({ scope: 'connection', why });
    expect(server.logins).toHaveLength(1);
  });

  it('that answers a page, or not at all, is down', async () => {
    server.script.login = () => ({ text: '<html>' });
    await expect(open(secret())).rejects.toMatchObject({ scope: 'connection', why: 'down' });
    server.script.login = () => ({ lost: true });
    await expect(open(secret())).rejects.toMatchObject({ scope: 'connection', why: 'down' });
  });
});

describe('a session', () => {
  it('is shared, and renewed once if it expired', async () => {
    const stale: unknown[] = [];
    let shared: string | undefined;
    const token: SharedToken = {
      async get(old, renew) {
        stale.push(old);
        if (shared === undefined || shared === old) shared = await renew();
        return shared;
      },
    };
    const session = await open(secret(), token);
    await open(secret(), token);
    expect(server.logins).toHaveLength(1);
    const first = shared;
    server.script.whole = ({ headers }) =>
      headers['authorization'] === 'Bearer token-1' ? EXPIRED : undefined;
    const written = [1, 2, 3].map(() => session.upsert('Contact', 'Hub_Id__c', people, call));
    for (const one of await Promise.all(written)) expect(one).toMatchObject([{ id: expect.any(String) }]);
    expect(server.logins).toHaveLength(2);
    expect(stale).toEqual([undefined, undefined, first]);
  });

  it('is never renewed twice', async () => {
    server.script.whole = () => EXPIRED;
    await expect(write()).rejects.toMatchObject({ scope: 'connection', why: 'setup' });
    expect(server.logins).toHaveLength(2);
    expect(server.requests).toHaveLength(2);
  });

  it('whose renewal is refused is a fault of the connection', async () => {
    const session = await open(secret());
    server.script.whole = () => EXPIRED;
    refusedLogin('invalid_grant');
    await expect(session.upsert('Contact', 'Hub_Id__c', people, call)).rejects.toMatchObject({
      ...{ code: 'salesforce-invalid-grant', scope: 'connection', why: 'setup' },
    });
  });

  it('is not renewed if policies of the org keep it from the API', async () => {
    const message = 'This session is not valid for use with the REST API';
    server.script.whole = () => ({ status: 401, body: [{ message, errorCode: 'INVALID_SESSION_ID' }] });
    await expect(write()).rejects.toMatchObject({ scope: 'connection', why: 'setup' });
    expect(server.logins).toHaveLength(1);
  });

  it('stops a request when the call is aborted', async () => {
    const session = await open(secret());
    const stopped = new AbortController();
    server.script.whole = () => {
      stopped.abort();
      return { silent: true };
    };
    const work = session.upsert('Contact', 'Hub_Id__c', people, { ...call, signal: stopped.signal });
    await expect(work).rejects.toMatchObject({ scope: 'connection', why: 'down', code: 'unavailable-crm' });
    expect(server.requests).toHaveLength(1);
  });

  it('is paid for before every request, also before the second one after a renewal', async () => {
    let spent = 0;
    const spend = async () => {
      spent++;
    };
    server.script.whole = ({ headers }) =>
      headers['authorization'] === 'Bearer token-1' ? EXPIRED : undefined;
    await write(secret(), { ...call, spend });
    expect(server.requests).toHaveLength(3);
    expect(spent).toBe(3);
  });
});
