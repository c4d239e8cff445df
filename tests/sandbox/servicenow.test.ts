import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Report } from '../../infra/sandbox/servicenow/data/instance.ts';
import {
  type ServicenowOptions,
  type ServicenowSandbox,
  servicenowSandbox,
} from '../../infra/sandbox/servicenow/server.ts';

const START = Date.parse('2026-03-01T12:10:00Z');
const HEX = expect.stringMatching(/^[0-9a-f]{32}$/u);
const CUSTOMERS = '/api/now/table/customer_contact';
const INTERACTIONS = '/api/now/table/interaction';
const IMPORT = '/api/now/import/u_hub_customer_import';
const fields = { u_hub_id: 'u_hub_id', u_first_name: 'first_name', u_user_name: 'user_name' };
const customers = {
  table: 'u_hub_customer_import',
  transformMap: { name: 'Hub customers', target: 'customer_contact', coalesce: ['u_hub_id'], fields },
};

const running: ServicenowSandbox[] = [];
afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.stop();
});

const open = async (options: ServicenowOptions = {}, db = new DatabaseSync(':memory:')) => {
  const clock = { now: START };
  const reports: Report[] = [];
  const sandbox = await servicenowSandbox(db, {
    now: () => clock.now,
    report: (report) => reports.push(report),
    customFields: ['customer_contact', 'interaction'].map((table) => ({
      ...{ table, name: 'u_hub_id', unique: true },
    })),
    importTables: [customers],
    ...options,
  });
  running.push(sandbox);
  const { username, password } = sandbox.basicSecret;
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const send = async (method: string, path: string, body?: unknown, authorization = basic) => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever the answer has.
    const parsed: any = /^[{[]/u.test(text) ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: parsed };
  };
  return { sandbox, clock, reports, send };
};

const failure = (message: string, detail: string | null) => ({
  ...{ error: { message, detail }, status: 'failure' },
});

const logIn = async (sandbox: ServicenowSandbox, more: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(`${sandbox.url}/oauth_token.do`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: String(sandbox.secret['clientId']),
      client_secret: String(sandbox.secret['clientSecret']),
      ...more,
    }),
  });
  const body = z.record(z.string(), z.unknown()).parse(await response.json());
  return { status: response.status, body, bearer: `Bearer ${body['access_token']}` };
};

const find = (query: string, more = '') =>
  `${CUSTOMERS}?sysparm_query=${encodeURIComponent(query)}&sysparm_fields=first_name${more}`;

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

describe('the Table API', () => {
  it('makes, reads, changes and deletes a record, and reports each write', async () => {
    const { send, reports, clock } = await open();
    const made = await send('POST', CUSTOMERS, { first_name: 'Ada', last_name: 'Lovelace', unknown: 1 });
    expect(made).toMatchObject({
      status: 201,
      body: {
        result: {
          ...{ sys_id: HEX, name: 'Ada Lovelace', active: 'true', account: '', sys_mod_count: '0' },
          ...{ sys_created_by: 'hub.integration', sys_updated_on: '2026-03-01 12:10:00' },
        },
      },
    });
    const one = `${CUSTOMERS}/${made.body.result.sys_id}`;
    expect(made.headers.get('location')).toMatch(one);
    clock.now += 1_000;
    const patched = await send('PATCH', one, { first_name: 'Augusta' });
    expect(patched.body.result).toMatchObject({ sys_mod_count: '1', sys_updated_on: '2026-03-01 12:10:01' });
    expect((await send('PUT', one, { first_name: 'Augusta' })).body.result.sys_mod_count).toBe('1');
    expect((await send('DELETE', one)).status).toBe(204);
    expect(await send('GET', one)).toMatchObject({
      status: 404,
      body: failure('No Record found', "Record doesn't exist or ACL restricts the record retrieval"),
    });
    expect(reports.map(({ operation, changed }) => [operation, changed['first_name']])).toEqual([
      ['insert', 'Ada'],
      ['update', 'Augusta'],
      ['delete', undefined],
    ]);
    expect(reports[1]).toEqual({
      ...{ table: 'customer_contact', sys_id: made.body.result.sys_id, operation: 'update' },
      changed: { first_name: 'Augusta', name: 'Augusta Lovelace' },
      ...{ sys_updated_on: '2026-03-01 12:10:01', sys_updated_by: 'hub.integration' },
    });
  });

  it('refuses a second record with the same unique value, and a table that is not there', async () => {
    const { send } = await open();
    expect((await send('POST', INTERACTIONS, { u_hub_id: 'm1' })).status).toBe(201);
    expect(await send('POST', INTERACTIONS, { u_hub_id: 'M1' })).toMatchObject({
      status: 403,
      body: failure('Operation Failed', 'Error during insert of interaction (IMS0000002)'),
    });
    expect(await send('GET', '/api/now/table/sys_nonexistent')).toMatchObject({
      status: 400,
      body: failure('Invalid table sys_nonexistent', 'Table sys_nonexistent does not exist'),
    });
  });

  it('refuses what a data policy does not let through', async () => {
    const { send } = await open({ dataPolicies: [{ table: 'sys_user', mandatory: ['email', 'last_name'] }] });
    expect(await send('POST', CUSTOMERS, { email: 'ada@example.com' })).toMatchObject({
      status: 403,
      body: failure(
        'Operation Failed',
        'Data Policy Exception: The following fields are mandatory: Last name',
      ),
    });
  });

  it('finds records by encoded queries', async () => {
    const { sandbox, send } = await open();
    for (const [first_name, city] of [
      ['Ada', 'London'],
      ['Bob', 'Rome'],
      ['Cleo', ''],
    ])
      sandbox.seed('customer_contact', { first_name, city, u_hub_id: `hub-${first_name}` });
    const names = async (query: string) =>
      (await send('GET', find(query))).body.result
        .map((row: { first_name: string }) => row.first_name)
        .join();
    expect(await names('city=london')).toBe('Ada');
    expect(await names('city!=London^ORDERBYDESCfirst_name')).toBe('Cleo,Bob');
    expect(await names('u_hub_idINhub-Ada,hub-Cleo')).toBe('Ada,Cleo');
    expect(await names('first_nameLIKEe^ORfirst_nameSTARTSWITHb^cityISEMPTY')).toBe('Cleo');
    expect(await names('city=Rome^NQcityISEMPTY')).toBe('Bob,Cleo');
    expect(await names('sys_created_on<2026-01-01 00:00:00')).toBe('Ada,Bob,Cleo');
    // A misspelt field is passed over, and the query then finds everything.
    expect(await names('u_hubid=hub-Ada')).toBe('Ada,Bob,Cleo');
  });

  it('says how many records there are and where the next page is', async () => {
    const { sandbox, send } = await open();
    for (const first_name of ['Ada', 'Bob', 'Cleo']) sandbox.seed('customer_contact', { first_name });
    const page = await send('GET', find('ORDERBYfirst_name', '&sysparm_limit=2'));
    expect(page.headers.get('x-total-count')).toBe('3');
    const [, next] = /<[^<>]+>;rel="first",<([^<>]+)>;rel="next"/u.exec(page.headers.get('link') ?? '') ?? [];
    const rest = await send('GET', String(next).replace(sandbox.url, ''));
    expect(rest.body.result).toEqual([{ first_name: 'Cleo' }]);
    expect(rest.headers.get('link')).not.toContain('rel="next"');
  });

  it('shows references as links, and journal entries in a table of their own', async () => {
    const { sandbox, send } = await open();
    const contact = sandbox.seed('customer_contact', { first_name: 'Ada' });
    const { body } = await send('POST', INTERACTIONS, { contact, type: 'chat', work_notes: 'Hello' });
    const link = `${sandbox.url}${CUSTOMERS}/${contact}`;
    expect(body.result).toMatchObject({ contact: { link, value: contact }, work_notes: '', type: 'chat' });
    const one = `${INTERACTIONS}/${body.result.sys_id}?sysparm_fields=contact,type,contact.first_name`;
    expect((await send('GET', `${one}&sysparm_exclude_reference_link=true`)).body.result).toEqual({
      ...{ contact, type: 'chat', 'contact.first_name': 'Ada' },
    });
    expect((await send('GET', `${one}&sysparm_display_value=all`)).body.result).toMatchObject({
      contact: { display_value: 'Ada', value: contact, link },
      type: { display_value: 'Chat', value: 'chat' },
    });
    const journal = `/api/now/table/sys_journal_field?sysparm_query=element_id=${body.result.sys_id}`;
    expect((await send('GET', journal)).body.result).toMatchObject([
      { name: 'interaction', element: 'work_notes', value: 'Hello' },
    ]);
  });

  it('describes fields under the table that defines them, and takes new ones', async () => {
    const { send } = await open();
    const describeField = (element: string, name: string) =>
      send('GET', `/api/now/table/sys_dictionary?sysparm_query=name=${name}^element=${element}`);
    expect((await describeField('email', 'customer_contact')).body.result).toEqual([]);
    expect((await describeField('email', 'sys_user')).body.result).toMatchObject([
      { max_length: '100', unique: 'false', mandatory: 'false', internal_type: { value: 'email' } },
    ]);
    const types = '/api/now/table/sys_choice?sysparm_query=name=interaction^element=type^ORDERBYvalue';
    expect((await send('GET', types)).body.result[0]).toMatchObject({ value: 'chat', label: 'Chat' });
    const column = { name: 'csm_consumer', element: 'u_hub_id', internal_type: 'string', unique: 'true' };
    expect((await send('POST', '/api/now/table/sys_dictionary', column)).status).toBe(201);
    expect((await describeField('u_hub_id', 'csm_consumer')).body.result).toMatchObject([{ unique: 'true' }]);
    const consumers = '/api/now/table/csm_consumer';
    expect((await send('POST', consumers, { u_hub_id: 'c1' })).body.result.u_hub_id).toBe('c1');
    expect((await send('POST', consumers, { u_hub_id: 'c1' })).status).toBe(403);
  });
});

describe('the Batch API', () => {
  const encoded = (body: unknown) => Buffer.from(JSON.stringify(body)).toString('base64');
  const batch = ['m1', 'm1', 'm2'].map((u_hub_id, index) => ({
    ...{ id: String(index + 1), method: 'POST', url: INTERACTIONS, body: encoded({ u_hub_id }) },
  }));

  it('serves its items one by one', async () => {
    const { send } = await open();
    const { body } = await send('POST', '/api/now/v1/batch', { batch_request_id: 'b', rest_requests: batch });
    expect(body).toMatchObject({ batch_request_id: 'b', unserviced_requests: [] });
    expect(body.serviced_requests).toMatchObject([
      { id: '1', status_code: 201, status_text: 'Created' },
      { id: '2', status_code: 403 },
      { id: '3', status_code: 201 },
    ]);
    expect(JSON.parse(Buffer.from(body.serviced_requests[0].body, 'base64').toString())).toMatchObject({
      result: { u_hub_id: 'm1' },
    });
  });

  it('leaves items unserviced when its time is over', async () => {
    const { sandbox, send } = await open();
    sandbox.fault({ kind: 'batch-timeout', times: 1 });
    const { body } = await send('POST', '/api/now/v1/batch', { rest_requests: batch });
    expect(body).toMatchObject({ serviced_requests: [{ id: '1' }], unserviced_requests: ['2', '3'] });
    expect(sandbox.records('interaction')).toHaveLength(1);
  });
});

describe('the Import Set API', () => {
  it('makes, changes or leaves the record of a key, and tells of an error in a 201', async () => {
    const { sandbox, send } = await open();
    const put = async (row: object) => {
      const { status, body } = await send('POST', IMPORT, row);
      return { status, ...body, result: body.result[0] };
    };
    const row = { u_hub_id: 'c1', u_first_name: 'Ada', u_user_name: 'ada' };
    const inserted = await put(row);
    expect(inserted).toMatchObject({
      ...{ status: 201, import_set: 'ISET0000001', staging_table: 'u_hub_customer_import' },
      result: {
        ...{ transform_map: 'Hub customers', table: 'customer_contact', status: 'inserted', sys_id: HEX },
        ...{ display_name: 'name', display_value: 'Ada' },
        record_link: expect.stringContaining(`${sandbox.url}${CUSTOMERS}/`),
      },
    });
    expect((await put(row)).result).toMatchObject({ status: 'ignored', sys_id: inserted.result.sys_id });
    expect((await put({ ...row, u_first_name: 'Augusta' })).result.status).toBe('updated');
    expect(await put({ ...row, u_hub_id: 'c2' })).toMatchObject({
      status: 201,
      result: {
        status: 'error',
        error_message: expect.stringContaining('customer_contact'),
        table: 'customer_contact',
      },
    });
    expect((await put({ u_first_name: 'Nobody' })).result.status).toBe('skipped');
    expect(sandbox.records('customer_contact')).toHaveLength(1);
  });

  it('takes many rows by the labels of their columns, and transforms them later', async () => {
    const { sandbox, send, clock, reports } = await open({ importDelay: 5_000 });
    const records = [{ 'Hub id': 'c1', 'First name': 'Ada' }, { u_hub_id: 'c2' }];
    const { status, body } = await send('POST', `${IMPORT}/insertMultiple`, { records });
    expect({ status, body }).toEqual({ status: 201, body: { import_set_id: HEX, multi_import_set_id: HEX } });
    const states = async () => {
      const path = `/api/now/table/u_hub_customer_import?sysparm_query=sys_import_set=${body.import_set_id}`;
      const rows: { sys_import_state: string }[] = (await send('GET', path)).body.result;
      return rows.map((row) => row.sys_import_state);
    };
    expect(await states()).toEqual(['pending', 'pending']);
    clock.now += 5_000;
    expect(await states()).toEqual(['inserted', 'skipped']);
    expect(sandbox.records('customer_contact')).toMatchObject([{ fields: { u_hub_id: 'c1' } }]);
    expect(reports).toMatchObject([{ table: 'customer_contact', operation: 'insert' }]);
    const tooMany = { records: Array.from({ length: 201 }, () => ({})) };
    expect((await send('POST', `${IMPORT}/insertMultiple`, tooMany)).status).toBe(400);
  });

  it('takes many rows by their columns, and transforms them at once, where it is set to', async () => {
    const setting = { synchronous: true, columnNames: true };
    const { sandbox, send } = await open({ importTables: [{ ...customers, insertMultiple: setting }] });
    const records = ['c1', 'c2'].map((u_hub_id) => ({ u_hub_id }));
    expect((await send('POST', `${IMPORT}/insertMultiple`, { records })).status).toBe(201);
    expect(sandbox.records('customer_contact').map((record) => record.fields['u_hub_id'])).toEqual([
      'c1',
      'c2',
    ]);
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

it('staff merge two contacts by moving what belongs to the second', async () => {
  const { sandbox, reports, send } = await open();
  const [keep, other] = ['Ada', 'Augusta'].map((first_name) =>
    sandbox.seed('customer_contact', { first_name }),
  );
  const interaction = sandbox.seed('interaction', { contact: other });
  sandbox.staff.merge('customer_contact', { id: keep }, { id: other });
  expect(sandbox.records('interaction')).toMatchObject([{ id: interaction, fields: { contact: keep } }]);
  expect(reports.map(({ table, operation }) => `${operation} ${table}`)).toEqual([
    ...['update interaction', 'delete customer_contact'],
  ]);
  sandbox.staff.delete('customer_contact', { first_name: 'Ada' });
  expect((await send('GET', INTERACTIONS)).body.result).toMatchObject([{ contact: '' }]);
});

it('keeps records, columns and numbers in its database', async () => {
  const db = new DatabaseSync(':memory:');
  const first = await open({}, db);
  await first.send('POST', INTERACTIONS, { u_hub_id: 'm1' });
  const again = await open({ customFields: [] }, db);
  expect((await again.send('POST', INTERACTIONS, { u_hub_id: 'm1' })).status).toBe(403);
  expect((await again.send('POST', INTERACTIONS, {})).body.result.number).toBe('IMS0000003');
});
