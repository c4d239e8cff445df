import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import { type Call, type CrmRecord, type CrmResult, unsharedToken } from '../../../core/crm/connector.ts';
import { type Said, type Sent, scriptedServicenow } from './scripted-servicenow.ts';

const failure = (message: string, detail: string | null): object => ({
  error: { message, detail },
  status: 'failure',
});
const call: Call = {
  signal: AbortSignal.timeout(30_000),
  spend: async () => undefined,
  sleep: async () => undefined,
};
const ID = 'b'.repeat(32);
const OTHER = 'c'.repeat(32);

let instance: Awaited<ReturnType<typeof scriptedServicenow>>;
beforeEach(async () => {
  instance = await scriptedServicenow();
});
afterEach(() => instance.stop());

const open = (more: object = { clientId: 'id', clientSecret: 'secret' }) =>
  servicenow.open({ instanceUrl: instance.url, ...more }, unsharedToken, call.signal);
const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const ada: CrmRecord = { key: 'hub:c1', fields: { last_name: 'Lovelace', email: 'ada@example.com' } };
/** What the Table API answers to a write: what was sent, and the record's own fields. */
const echoed = ({ method, body }: Sent, id = ID): Said => ({
  status: method === 'POST' ? 201 : 200,
  body: { result: { ...Object(body), sys_id: id, sys_updated_on: '2026-03-01 09:00:00' } },
});
/** Look-ups find nobody, and every write is answered with `said`. */
const answerWrites = (said: (sent: Sent) => Said): void => {
  instance.script.item = (sent) => (sent.method === 'GET' ? { body: { result: [] } } : said(sent));
};
const write = async (...records: readonly CrmRecord[]): Promise<CrmResult[]> =>
  (await open()).upsert('customer_contact', 'u_hub_id', records.length > 0 ? records : [ada], call);

describe('the secret of ServiceNow', () => {
  it.each([
    [undefined, 'instanceUrl, clientId, clientSecret'],
    [{ instanceUrl: 'https://acme.service-now.com', clientId: 'id' }, 'clientSecret'],
    [{ instanceUrl: 'https://acme.service-now.com', username: 'hub' }, 'password'],
    [{ instanceUrl: 'http://acme.service-now.com', clientId: 'id', clientSecret: 's' }, 'instanceUrl'],
    [{ instanceUrl: 'acme', clientId: 'id', clientSecret: 's' }, 'instanceUrl'],
  ])('%j: names %s', async (secret, keys) => {
    expect(await caught(servicenow.open(secret, unsharedToken, call.signal))).toMatchObject({
      ...{ code: 'servicenow-secret', scope: 'connection', why: 'setup' },
      message: expect.stringContaining(`${keys} missing or malformed`),
    });
  });

  it('logs in with client credentials, and sends a user and a password as they are', async () => {
    await write();
    expect(instance.logins).toMatchObject([
      { body: { grant_type: 'client_credentials', client_id: 'id', client_secret: 'secret' } },
    ]);
    expect(instance.requests[0]?.headers['authorization']).toBe('Bearer token-1');
    const basic = await open({ username: 'hub', password: 'p:w' });
    await basic.read('customer_contact', [ID], [], call);
    expect(instance.logins).toHaveLength(1);
    expect(instance.requests.at(-1)?.headers['authorization']).toBe(
      `Basic ${Buffer.from('hub:p:w').toString('base64')}`,
    );
  });

  it('a refused login tells how client credentials are turned on', async () => {
    instance.script.login = () => ({ status: 401, body: { error: 'access_denied', error_description: 'x' } });
    expect(await caught(open())).toMatchObject({
      ...{ code: 'servicenow-login', scope: 'connection', why: 'setup' },
      message: expect.stringContaining('glide.oauth.inbound.client.credential.grant_type.enabled'),
    });
  });
});

describe('answers to a request', () => {
  const notAuthenticated = {
    status: 401,
    body: failure('User Not Authenticated', 'Required to provide Auth information'),
  };

  it('not authenticated: the token is renewed once, then it is a fault of the setup', async () => {
    instance.script.whole = () => notAuthenticated;
    expect(await caught(write())).toMatchObject({
      ...{ code: 'servicenow-unauthorized', scope: 'connection', why: 'setup' },
    });
    expect(instance.logins).toHaveLength(2);
    expect(instance.requests).toHaveLength(2);
  });

  it('a renewed token is used', async () => {
    answerWrites(echoed);
    instance.script.whole = ({ headers }) =>
      headers['authorization'] === 'Bearer token-1' ? notAuthenticated : undefined;
    expect(await write()).toMatchObject([{ id: ID }]);
  });

  it.each<[string, Said, object]>([
    [
      'a hibernating instance',
      { text: '<html><head><title>Instance Hibernating page</title></head></html>' },
      { code: 'unavailable-crm', why: 'down' },
    ],
    ['a bad gateway', { status: 502, text: '<html></html>' }, { code: 'unavailable-crm', why: 'down' }],
    [
      'a redirection to a page of login',
      { status: 302, text: '', headers: { location: 'https://elsewhere.example.com/login' } },
      { code: 'unavailable-crm', why: 'down' },
    ],
    [
      'a rate limit',
      {
        ...{ status: 429, headers: { 'retry-after': '2400', 'x-ratelimit-limit': '10' } },
        body: failure('Rate limit exceeded', 'Rejected due to exceeded rate limit'),
      },
      { code: 'servicenow-rate-limit', why: 'throttled', retry: { afterSeconds: 2400 } },
    ],
  ])('%s', async (_, said, fault) => {
    instance.script.whole = () => said;
    expect(await caught(write())).toMatchObject({ scope: 'connection', ...fault });
  });
});

describe('answers to a record', () => {
  it.each<[string, Said, object]>([
    [
      'an invalid table',
      {
        status: 400,
        body: failure('Invalid table sys_nonexistent', 'Table sys_nonexistent does not exist'),
      },
      { code: 'servicenow-invalid-table', scope: 'object', why: 'setup' },
    ],
    [
      'an access control',
      { status: 403, body: failure('Insufficient rights to query records', null) },
      {
        ...{ code: 'servicenow-forbidden', scope: 'object', why: 'setup' },
        message: expect.stringContaining('customer_contact'),
      },
    ],
    [
      'a data policy',
      {
        status: 403,
        body: failure(
          'Operation Failed',
          'Data Policy Exception: The following fields are mandatory: Last name',
        ),
      },
      { code: 'servicenow-data-policy', scope: 'record', why: 'invalid', field: 'last_name' },
    ],
    [
      'a cancelled transaction',
      {
        status: 500,
        body: failure(
          'Transaction cancelled: maximum execution time exceeded',
          'maximum execution time exceeded Check logs for error trace or enable glide.rest.debug property to verify REST request processing',
        ),
      },
      { code: 'servicenow-transaction-cancelled', scope: 'record', why: 'raced' },
    ],
    [
      'a unique value that nobody seems to hold',
      { status: 403, body: failure('Operation Failed', 'Error during insert of customer_contact (Ada)') },
      { code: 'servicenow-operation-failed', scope: 'record', why: 'invalid' },
    ],
  ])('%s', async (_, said, fault) => {
    answerWrites(() => said);
    const [result] = await write();
    expect(result).toMatchObject({ key: 'hub:c1', fault });
    expect(JSON.stringify(result)).not.toMatch(/Lovelace|ada@|\(Ada\)/u);
  });

  it('a record that is not there is gone where the hub knew it', async () => {
    const notFound = {
      status: 404,
      body: failure('No Record found', "Record doesn't exist or ACL restricts the record retrieval"),
    };
    answerWrites(() => notFound);
    expect(await write({ ...ada, id: ID })).toMatchObject([{ fault: { scope: 'record', why: 'gone' } }]);
  });

  it('another record with the same unique value is named, with the field', async () => {
    instance.script.item = ({ method, query }) =>
      method !== 'GET'
        ? { status: 403, body: failure('Operation Failed', 'Error during update of customer_contact (…)') }
        : query.get('sysparm_query')?.startsWith('email') === true
          ? { body: { result: [{ sys_id: OTHER, email: 'ADA@example.com' }] } }
          : { body: { result: [] } };
    expect(await write({ ...ada, id: ID })).toMatchObject([
      { fault: { scope: 'record', why: 'taken', field: 'email', records: [OTHER] } },
    ]);
  });

  it('a field that the answer leaves out is one that the hub may not see', async () => {
    answerWrites(() => ({
      status: 201,
      body: { result: { sys_id: ID, u_hub_id: 'hub:c1', last_name: 'x' } },
    }));
    expect(await write()).toMatchObject([{ fault: { scope: 'object', why: 'setup', field: 'email' } }]);
  });

  it('a field that the table lacks is not sent, until an administrator has added it', async () => {
    answerWrites(echoed);
    const session = await open();
    const record = { ...ada, fields: { u_tier: 'gold' } };
    const wrote = () => session.upsert('customer_contact', 'u_hub_id', [record], call);
    expect(await caught(wrote())).toMatchObject({ scope: 'object', why: 'setup', field: 'u_tier' });
    expect(instance.items).toEqual([]);
    instance.script.added = ['u_tier'];
    expect(await wrote()).toMatchObject([{ id: ID, held: { u_tier: 'gold' } }]);
  });

  it('a link to a record that is gone is found before, because the instance takes any', async () => {
    answerWrites(echoed);
    const session = await open();
    const record = { key: 'hub:i1', fields: {}, links: { contact: OTHER } };
    expect(await session.upsert('interaction', 'u_hub_id', [record], call)).toMatchObject([
      { fault: { scope: 'record', why: 'gone', field: 'contact' } },
    ]);
    expect(instance.items.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('tells what the CRM holds then, and since when', async () => {
    answerWrites((sent) => echoed({ ...sent, body: { ...Object(sent.body), last_name: 'Love', email: '' } }));
    expect(await write()).toEqual([
      {
        ...{ key: 'hub:c1', id: ID, at: '2026-03-01T09:00:00.000Z' },
        held: { u_hub_id: 'hub:c1', last_name: 'Love', email: null },
      },
    ]);
  });

  it('spells instants as the Table API has them', async () => {
    answerWrites(echoed);
    const [result] = await write({ key: 'hub:c1', fields: { opened_at: '2026-03-01T09:00:00.000Z' } });
    expect(instance.items.at(-1)?.body).toMatchObject({ opened_at: '2026-03-01 09:00:00' });
    expect(result).toMatchObject({ held: { opened_at: '2026-03-01T09:00:00.000Z' } });
  });
});

describe('a batch', () => {
  const many = (count: number): CrmRecord[] =>
    Array.from({ length: count }, (_, at) => ({ key: `hub:c${at}`, fields: { last_name: `Name ${at}` } }));
  const writes = () => instance.items.filter(({ method }) => method !== 'GET');

  it('sends what was not serviced again, and that alone', async () => {
    const late = new Set(['hub:c2', 'hub:c3']);
    answerWrites((sent) =>
      late.delete(Object(sent.body)['u_hub_id']) ? { unserviced: true } : echoed(sent),
    );
    const results = await write(...many(4));
    expect(results.filter((one) => 'id' in one)).toHaveLength(4);
    expect(writes().map(({ body }) => Object(body)['u_hub_id'])).toEqual([
      ...['hub:c0', 'hub:c1', 'hub:c2', 'hub:c3', 'hub:c2', 'hub:c3'],
    ]);
  });

  it('a request that is never serviced is tried again later, alone', async () => {
    answerWrites((sent) =>
      Object(sent.body)['u_hub_id'] === 'hub:c1' ? { unserviced: true } : echoed(sent),
    );
    expect(await write(...many(3))).toMatchObject([
      { id: ID },
      { fault: { code: 'servicenow-transaction-cancelled', scope: 'record', why: 'raced' } },
      { id: ID },
    ]);
  });

  it('one that is cancelled as a whole is halved until the record at fault is alone', async () => {
    answerWrites(echoed);
    instance.script.whole = ({ body }) => {
      const parts: readonly { body?: string }[] = Object(body)['rest_requests'] ?? [];
      const isHeavy = parts.some((part) =>
        Buffer.from(part.body ?? '', 'base64')
          .toString()
          .includes('hub:c2'),
      );
      return isHeavy
        ? { status: 500, body: failure('Transaction cancelled: maximum execution time exceeded', '') }
        : undefined;
    };
    expect(await write(...many(4))).toMatchObject([
      ...[{ id: ID }, { id: ID }],
      ...[{ fault: { scope: 'record', why: 'raced' } }, { id: ID }],
    ]);
  });

  it('after the first batch, a fault of the connection is one of the records that were not written', async () => {
    answerWrites(echoed);
    instance.script.whole = () =>
      writes().length >= 250 ? { status: 503, text: '<html></html>' } : undefined;
    const results = await write(...many(300));
    expect(results.slice(0, 250).every((one) => 'id' in one)).toBe(true);
    expect(results.slice(250)).toMatchObject(
      Array.from({ length: 50 }, () => ({ fault: { scope: 'connection', why: 'down' } })),
    );
  });
});

describe('looking up', () => {
  it('does not believe an answer that has every record, because the instance passed over the condition', async () => {
    instance.script.item = () => ({
      body: {
        result: [
          { sys_id: ID, email: 'ada@example.com' },
          { sys_id: OTHER, email: 'eve@example.com' },
        ],
      },
    });
    const found = await (await open()).find('customer_contact', 'email', ['ada@example.com'], [], call);
    expect([...found].map(([value, records]) => [value, records.map(({ id }) => id)])).toEqual([
      ['ada@example.com', [ID]],
    ]);
  });

  it('a value can neither end its condition nor be run as a script', async () => {
    const session = await open();
    const values = ['a^NQsys_idISNOTEMPTY', 'javascript:gs.sleep(9)', 'a,b', 'ada'];
    await session.find('customer_contact', { field: 'last_name' }, values, [], call);
    expect(instance.items.map(({ query }) => query.get('sysparm_query'))).toEqual([
      'last_nameINada^ORDERBYsys_id',
      'last_name=a^^NQsys_idISNOTEMPTY^ORlast_name=a,b^ORDERBYsys_id',
    ]);
  });

  it('a field that the table does not have is not asked for', async () => {
    const session = await open();
    expect(
      await caught(session.find('customer_contact', { field: 'u_nothing' }, ['x'], [], call)),
    ).toMatchObject({ scope: 'object', why: 'setup', field: 'u_nothing' });
    expect(await caught(session.remove('customer_contact', 'u_nothing', ['x'], call))).toMatchObject({
      field: 'u_nothing',
    });
    expect(instance.items).toEqual([]);
  });

  it('lists by the time of the last change, from where the last page ended', async () => {
    const page = Array.from({ length: 1000 }, (_, at) => ({
      sys_id: at.toString(16).padStart(32, '0'),
      sys_updated_on: '2026-03-01 09:00:00',
    }));
    instance.script.item = () => ({ body: { result: page }, headers: { 'x-total-count': '1203' } });
    const session = await open();
    const first = await session.list('customer_contact', [], undefined, call);
    expect(first).toMatchObject({ total: 1203 });
    await session.list('customer_contact', [], first.next, call);
    expect(instance.requests.slice(-2).map(({ query }) => query.get('sysparm_query'))).toEqual([
      'ORDERBYsys_updated_on^ORDERBYsys_id',
      `sys_updated_on>=2026-03-01 09:00:00^sys_id>${'3e7'.padStart(32, '0')}^ORsys_updated_on>2026-03-01 09:00:00^ORDERBYsys_updated_on^ORDERBYsys_id`,
    ]);
  });
});

it('a column that the hub may not make is explained with the steps of an administrator', async () => {
  const session = await open();
  instance.script.whole = ({ method, path }) =>
    method === 'POST' && path.endsWith('/sys_dictionary')
      ? {
          status: 403,
          body: failure('Operation Failed', 'ACL Exception Insert Failed due to security constraints'),
        }
      : undefined;
  expect(
    await caught(session.createKeyField?.('interaction', 'u_other', call) ?? Promise.resolve()),
  ).toMatchObject({
    ...{ scope: 'object', why: 'setup', object: 'interaction', field: 'u_other' },
    message: expect.stringMatching(
      /may not be made by the user of the hub\. As an administrator .* personalize_dictionary/,
    ),
  });
});
