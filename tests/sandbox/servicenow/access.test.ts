import { describe, expect, it } from 'vitest';
import { CUSTOMERS, failure, HEX, INTERACTIONS, logIn, open } from './open.ts';

describe('logging in', () => {
  it('gives a token for half an hour, and the same one until it ends', async () => {
    const { sandbox, clock, send } = await open();
    const { body: first, bearer } = await logIn(sandbox);
    expect(first).toMatchObject({ scope: 'useraccount', token_type: 'Bearer', expires_in: 1799 });
    expect((await logIn(sandbox)).body).toEqual(first);
    const read = () => send('GET', CUSTOMERS, undefined, bearer);
    expect((await read()).status).toBe(200);
    clock.now += 30 * 60_000;
    expect((await read()).status).toBe(401);
    expect((await logIn(sandbox)).body).not.toEqual(first);
  });

  it('takes the password of the user, and gives a refresh token for it', async () => {
    const { sandbox, clock } = await open();
    const { username, password } = sandbox.basicSecret;
    const { body } = await logIn(sandbox, { grant_type: 'password', username, password });
    clock.now += 30 * 60_000;
    const refresh_token = String(body['refresh_token']);
    const refreshed = await logIn(sandbox, { grant_type: 'refresh_token', refresh_token });
    expect(refreshed).toMatchObject({ status: 200, body: { refresh_token } });
    expect(refreshed.body['access_token']).not.toBe(body['access_token']);
    expect((await logIn(sandbox, { grant_type: 'password', username, password: '' })).status).toBe(401);
  });

  it('is refused without saying why', async () => {
    const { sandbox, send } = await open({ clientCredentials: false });
    const credentials = {
      client_id: '5c1d6d2a0e7b3010a1f2c3d4e5f60718',
      client_secret: 'sandbox-client-secret',
    };
    const refused = await logIn(sandbox, credentials);
    expect(refused).toMatchObject({
      status: 401,
      body: { error: 'server_error', error_description: 'access_denied' },
    });
    expect(sandbox.secret).toEqual(sandbox.basicSecret);
    expect(await send('GET', CUSTOMERS, undefined, 'Bearer none')).toMatchObject({
      status: 401,
      body: failure('User Not Authenticated', 'Required to provide Auth information'),
    });
  });
});

it('counts requests against a rate limit rule, and has headers only where there is one', async () => {
  const { send, clock } = await open({ requestsPerHour: 1 });
  const first = await send('GET', CUSTOMERS);
  expect(first.headers.get('x-ratelimit-limit')).toBe('1');
  const refused = await send('GET', CUSTOMERS);
  expect(refused).toMatchObject({ status: 429, body: { error: { message: 'Rate limit exceeded' } } });
  expect(refused.headers.get('retry-after')).toBe('3000');
  expect(refused.headers.get('x-ratelimit-reset')).toBe(String(Date.parse('2026-03-01T13:00:00Z') / 1_000));
  clock.now += 3_000_000;
  expect((await send('GET', CUSTOMERS)).status).toBe(200);
  const unlimited = await open();
  expect((await unlimited.send('GET', CUSTOMERS)).headers.has('x-ratelimit-limit')).toBe(false);
});

describe('faults', () => {
  it.each([
    [
      { kind: 'missing-scope', object: 'customer_contact' },
      'GET',
      403,
      'Insufficient rights to query records',
    ],
    [{ kind: 'missing-scope' }, 'POST', 403, 'Operation Failed'],
    [{ kind: 'login-refused' }, 'GET', 401, 'User Not Authenticated'],
    [{ kind: 'rate-limited' }, 'GET', 429, 'Rate limit exceeded'],
    [{ kind: 'daily-limit' }, 'GET', 429, 'Rate limit exceeded'],
    [{ kind: 'row-lock' }, 'POST', 500, 'Transaction cancelled: maximum execution time exceeded'],
    [{ kind: 'transaction-cancelled' }, 'GET', 500, 'Transaction cancelled: maximum execution time exceeded'],
  ] as const)('%o', async (fault, method, status, message) => {
    const { sandbox, send } = await open();
    const ask = () => send(method, CUSTOMERS, method === 'POST' ? {} : undefined);
    const end = sandbox.fault(fault);
    expect(await ask()).toMatchObject({ status, body: { error: { message }, status: 'failure' } });
    end();
    expect((await ask()).status).toBeLessThan(300);
    sandbox.fault({ ...fault, times: 1 });
    expect((await ask()).status).toBe(status);
    expect((await ask()).status).toBeLessThan(300);
  });

  it('missing-field: a column that is gone takes no value and describes nothing', async () => {
    const { sandbox, send } = await open();
    sandbox.fault({ kind: 'missing-field', object: 'interaction', field: 'u_hub_id' });
    expect((await send('POST', INTERACTIONS, { u_hub_id: 'm1' })).body.result.u_hub_id).toBeUndefined();
    const column =
      '/api/now/table/sys_dictionary?sysparm_query=element=u_hub_id^nameINcustomer_contact,interaction';
    expect((await send('GET', column)).body.result).toMatchObject([{ name: 'customer_contact' }]);
  });

  it('down, html, lost-response, slow and expired-session', async () => {
    const { sandbox, send } = await open({ slowness: 60_000 });
    sandbox.fault({ kind: 'down', times: 1 });
    expect((await send('GET', CUSTOMERS)).status).toBe(503);
    sandbox.fault({ kind: 'html', times: 1 });
    expect(await send('GET', CUSTOMERS)).toMatchObject({
      ...{ status: 200, body: expect.stringContaining('This instance is hibernating') },
    });
    sandbox.fault({ kind: 'lost-response', times: 1 });
    await expect(send('POST', CUSTOMERS, { first_name: 'Ada' })).rejects.toThrow();
    expect(sandbox.records('customer_contact')).toHaveLength(1);
    const { bearer } = await logIn(sandbox);
    sandbox.fault({ kind: 'expired-session' });
    expect((await send('GET', CUSTOMERS, undefined, bearer)).status).toBe(401);
    sandbox.fault({ kind: 'slow' });
    const signal = AbortSignal.timeout(50);
    await expect(fetch(`${sandbox.url}${CUSTOMERS}`, { signal })).rejects.toThrow();
    expect(sandbox.requests('POST')).toBe(1);
  });

  it('are put in force over HTTP, as records are made', async () => {
    const { sandbox, send } = await open();
    const fault = { kind: 'down', times: 1 };
    expect((await send('POST', '/sandbox/fault', fault)).status).toBe(201);
    expect((await send('GET', CUSTOMERS)).status).toBe(503);
    const record = { object: 'csm_consumer', fields: { first_name: 'Ada' } };
    expect((await send('POST', '/sandbox/records', record)).body).toEqual({ id: HEX });
    expect((await send('POST', '/sandbox/fault', { kind: 'unknown' })).status).toBe(400);
    expect(sandbox.records('csm_consumer')).toMatchObject([{ fields: { number: 'CSMR0000001' } }]);
  });
});
