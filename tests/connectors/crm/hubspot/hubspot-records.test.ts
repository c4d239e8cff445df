import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmSession } from '../../../../core/crm/connector.ts';
import { memberOf } from '../../../../core/formats/payload.ts';
import {
  type Asked,
  caught,
  inputsOf,
  type ScriptedHubspot,
  scriptedHubspot,
  WRITTEN,
} from './scripted-hubspot.ts';

const stored = (id: string, properties: Readonly<Record<string, string | null>>) => ({
  ...{ id, properties, createdAt: '2025-01-27T19:53:15.581Z', updatedAt: WRITTEN, archived: false },
});
const pathOf = ({ method, path }: Asked): string => `${method} ${path}`;
const filtersOf = (one: Asked | undefined): unknown => memberOf(one?.body, 'filterGroups');

describe('HubSpot, asked for records', () => {
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

  it('finds by e-mail a hundred at a time, and searches only the rest among further addresses', async () => {
    const ada = stored('1', {
      email: 'Ada@Example.com',
      firstname: 'Ada',
      hs_object_source: 'CRM_UI',
      phone: '+1 415',
      mobilephone: null,
    });
    const bob = stored('2', {
      email: 'new@example.com',
      hs_additional_emails: 'bob@example.com;b@example.com',
      hs_object_source: 'FORM',
    });
    hub.script = (one) =>
      one.path.endsWith('/search')
        ? { body: { total: 1, results: [bob] } }
        : {
            status: 207,
            body: {
              status: 'COMPLETE',
              results: [ada],
              errors: [
                {
                  status: 'error',
                  category: 'OBJECT_NOT_FOUND',
                  message: 'Could not get some CONTACT objects.',
                  context: { ids: ['bob@example.com'] },
                },
              ],
              numErrors: 1,
            },
          };
    const found = await session.find(
      'contacts',
      'email',
      ['ada@example.com', 'bob@example.com', 'no@example.com'],
      ['firstname'],
      hub.call,
    );
    expect(found).toEqual(
      new Map([
        [
          'ada@example.com',
          [
            {
              ...{
                id: '1',
                fields: { firstname: 'Ada' },
                emails: ['Ada@Example.com'],
                phones: ['+1 415'],
                byStaff: true,
              },
              ...{ createdAt: '2025-01-27T19:53:15.581Z', modifiedAt: WRITTEN },
            },
          ],
        ],
        [
          'bob@example.com',
          [
            expect.objectContaining({
              id: '2',
              byStaff: false,
              emails: ['new@example.com', 'bob@example.com', 'b@example.com'],
            }),
          ],
        ],
      ]),
    );
    expect(hub.asked.map(pathOf)).toEqual([
      'POST /crm/objects/2026-09/contacts/batch/read',
      'POST /crm/objects/2026-09/contacts/search',
    ]);
    expect(filtersOf(hub.asked[1])).toEqual([
      {
        filters: [
          {
            propertyName: 'hs_additional_emails',
            operator: 'IN',
            values: ['bob@example.com', 'no@example.com'],
          },
        ],
      },
    ]);
    expect(hub.spent()).toBe(2);
  });

  it('finds by phone without the country code, and keeps what is the number in any spelling', async () => {
    hub.script = () => ({
      body: {
        results: [
          stored('us', { phone: '(415) 555-0100' }),
          stored('mobile', { mobilephone: '001 415 555 0100' }),
          stored('mexico', { phone: '+52 415 555 0100' }),
          stored('london', { phone: '+44 (0)20 7946 0958' }),
          stored('italy', { phone: '06 6982' }),
        ],
      },
    });
    const found = await session.find(
      'contacts',
      'phone',
      ['+14155550100', '+442079460958', '+39066982', '+351210000000'],
      [],
      hub.call,
    );
    expect([...found].map(([value, records]) => [value, records.map(({ id }) => id)])).toEqual([
      ['+14155550100', ['us', 'mobile']],
      ['+442079460958', ['london']],
      ['+39066982', ['italy']],
    ]);
    const values = [
      ...['4155550100', '14155550100', '2079460958', '442079460958'],
      ...['66982', '39066982', '210000000', '351210000000'],
    ];
    expect(filtersOf(hub.asked[0])).toEqual(
      ['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'].map(
        (propertyName) => ({
          filters: [{ propertyName, operator: 'IN', values }],
        }),
      ),
    );
  });

  it('keeps a search within 3,000 characters, and reads all of its pages', async () => {
    const emails = Array.from({ length: 100 }, (_, at) => `somebody-with-a-long-name-${at}@example.com`);
    hub.script = (one) => {
      if (!one.path.endsWith('/search')) return { body: { results: [] } };
      const after = memberOf(one.body, 'after');
      const at = after === undefined ? 0 : 99;
      return {
        body: {
          results: [stored(`r${at}`, { email: 'x@example.com', hs_additional_emails: emails[at] ?? '' })],
          ...(after === undefined && { paging: { next: { after: '100' } } }),
        },
      };
    };
    const found = await session.find('contacts', 'email', emails, [], hub.call);
    expect([...found.keys()]).toEqual([emails[0], emails[99]]);
    const searches = hub.asked.filter(({ path }) => path.endsWith('/search'));
    expect(searches.every(({ body }) => JSON.stringify(body).length <= 3000)).toBe(true);
    const groups = new Set(searches.map((one) => JSON.stringify(filtersOf(one))));
    expect(searches.length).toBe(2 * groups.size);
  });

  it('finds by a property with unique values without a search, and by any other one with it', async () => {
    hub.script = (one) => {
      const results = [stored('5', { hub_id: 'h:1', domain: 'Acme.example' })];
      if (memberOf(one.body, 'idProperty') !== 'domain') return { body: { results } };
      return {
        status: 400,
        body: {
          status: 'error',
          message: 'Unable to perform update/upsert by non-unique 0-2 property domain',
          category: 'VALIDATION_ERROR',
        },
      };
    };
    const ids = async (field: string, values: readonly string[]) =>
      [...(await session.find('companies', { field }, values, [], hub.call))].map(([value, [first]]) => [
        value,
        first?.id,
      ]);
    expect(await ids('hub_id', ['h:1', 'h:2'])).toEqual([['h:1', '5']]);
    expect(await ids('domain', ['acme.example'])).toEqual([['acme.example', '5']]);
    expect(await ids('domain', ['acme.example'])).toEqual([['acme.example', '5']]);
    expect(hub.asked.map(({ path }) => path.split('/').at(-1))).toEqual(['read', 'read', 'search', 'search']);
  });

  it('search-unknown-object-400: an object that HubSpot lacks must be corrected by a person', async () => {
    hub.script = () => ({
      status: 400,
      body: { status: 'error', message: 'Unable to infer object type from: butterflies' },
    });
    expect(await caught(session.find('butterflies', 'phone', ['+14155550100'], [], hub.call))).toMatchObject({
      ...{ scope: 'object', why: 'setup', message: expect.stringContaining('butterflies') },
    });
  });

  it('reads by id: a deleted record is absent, a merged one is the one into which it was merged', async () => {
    const merged = stored('9', { hs_merged_object_ids: '2;3' });
    hub.script = () => ({
      status: 207,
      body: {
        results: [stored('1', {}), merged],
        errors: [{ category: 'OBJECT_NOT_FOUND', context: { ids: ['4'] } }],
        numErrors: 1,
      },
    });
    const read = await session.read('contacts', ['1', '2', '3', '4'], [], hub.call);
    expect([...read].map(([id, held]) => [id, held.id])).toEqual([
      ['1', '1'],
      ['2', '9'],
      ['3', '9'],
    ]);
    expect(hub.asked).toHaveLength(1);
    expect(memberOf(hub.asked[0]?.body, 'propertiesWithHistory')).toEqual([]);
  });

  it('asks for each id alone where a merged record does not say which ids it had', async () => {
    hub.script = (one) => {
      const ids = inputsOf(one).map(({ id }) => id);
      return {
        body: {
          results: [
            ...(ids.includes('1') ? [stored('1', {})] : []),
            ...(ids.includes('2') ? [stored('9', {})] : []),
          ],
        },
      };
    };
    const read = await session.read('contacts', ['1', '2', '3'], [], hub.call);
    expect([...read].map(([id, held]) => [id, held.id])).toEqual([
      ['1', '1'],
      ['2', '9'],
    ]);
    expect(hub.asked.map((one) => inputsOf(one).length)).toEqual([3, 1, 1]);
  });

  it('search-page-200: lists by pages of a hundred', async () => {
    hub.script = ({ query }) => ({
      body: {
        results: [stored(query.get('after') ?? '1', { firstname: 'Johnnie', company: null })],
        ...(query.get('after') === null && { paging: { next: { after: '54' } } }),
      },
    });
    const first = await session.list('contacts', ['firstname', 'company'], undefined, hub.call);
    expect(first).toMatchObject({
      next: '54',
      records: [{ id: '1', fields: { firstname: 'Johnnie', company: null } }],
    });
    const second = await session.list('contacts', ['firstname'], first.next, hub.call);
    expect(second).toEqual({ records: [expect.objectContaining({ id: '54' })] });
    expect(hub.asked[0]?.query.get('limit')).toBe('100');
    expect(hub.asked[0]?.query.get('properties')).toContain('firstname,company,email');
  });

  it('deletes contacts for good one by one, and archives the rest by HubSpot’s ids', async () => {
    hub.script = (one) => {
      if (one.path.endsWith('gdpr-delete'))
        return memberOf(one.body, 'objectId') === '3'
          ? { status: 204 }
          : {
              status: 404,
              body: { status: 'error', category: 'OBJECT_NOT_FOUND', message: 'resource not found' },
            };
      return one.path.endsWith('archive')
        ? { status: 204 }
        : {
            body: {
              results: one.path.includes('/contacts/')
                ? [stored('3', { hub_id: 'a' }), stored('4', { hub_id: 'b' })]
                : [stored('5', { hub_id: 'n' })],
            },
          };
    };
    expect(await session.remove('contacts', 'hub_id', ['a', 'b', 'c'], hub.call)).toEqual([
      { key: 'a', found: true },
      { key: 'b', found: false },
      { key: 'c', found: false },
    ]);
    expect(await session.remove('notes', 'hub_id', ['n', 'm'], hub.call)).toEqual([
      { key: 'n', found: true },
      { key: 'm', found: false },
    ]);
    expect(hub.asked.slice(1, 3).map(({ body }) => body)).toEqual([{ objectId: '3' }, { objectId: '4' }]);
    expect(inputsOf(hub.asked[4])).toEqual([{ id: '5' }]);
    expect(hub.spent()).toBe(5);
  });
});
