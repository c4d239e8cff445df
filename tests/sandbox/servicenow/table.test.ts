import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { CUSTOMERS, failure, HEX, INTERACTIONS, open } from './open.ts';

const find = (query: string, more = '') =>
  `${CUSTOMERS}?sysparm_query=${encodeURIComponent(query)}&sysparm_fields=first_name${more}`;

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

  it.each([
    ['GET', '/api/now/nothing', 400],
    ['GET', '/api/now/v1/table/interaction', 404],
    ['GET', '/api/now/v2/table/interaction', 200],
    ['DELETE', INTERACTIONS, 405],
    ['POST', '/api/now/table/sys_choice', 403],
    ['POST', '/api/now/table/sys_dictionary', 400],
  ])('%s %s is answered by %i', async (method, path, status) => {
    expect((await (await open()).send(method, path)).status).toBe(status);
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
