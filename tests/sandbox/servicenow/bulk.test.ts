import { describe, expect, it } from 'vitest';
import { CUSTOMERS, customers, HEX, IMPORT, INTERACTIONS, open } from './open.ts';

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
