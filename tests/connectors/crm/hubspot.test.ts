import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call, CrmRecord, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import { memberOf } from '../../../core/formats/payload.ts';
import {
  type Answer,
  accepting,
  acceptingBut,
  caught,
  inputsOf,
  record,
  type ScriptedHubspot,
  scriptedHubspot,
  WRITTEN,
} from './scripted-hubspot.ts';

const faultIn = (result: CrmResult | undefined): CrmFault | undefined =>
  result !== undefined && 'fault' in result ? result.fault : undefined;

describe('HubSpot, written to', () => {
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

  const contacts = (records: readonly CrmRecord[]) => session.upsert('contacts', 'hub_id', records, hub.call);
  /** The fault of a record, whether the call resolved with it or rejected. */
  const faultOf = async (records: readonly CrmRecord[] = [record('a')]): Promise<unknown> => {
    const outcome = await caught(contacts(records));
    return Array.isArray(outcome) ? outcome.map(faultIn).find((fault) => fault !== undefined) : outcome;
  };

  describe('writes', () => {
    it('writes by the key, by the id where it is known, and says what HubSpot holds', async () => {
      const results = await contacts([
        {
          key: 'a',
          fields: { firstname: 'Ada', lastname: null, agreed: true, children: 2, likes: ['x', 'y'] },
        },
        { key: 'b', id: '77', fields: { firstname: 'Bo' } },
      ]);
      expect(results).toEqual([
        {
          ...{ key: 'a', id: 'id-a', at: WRITTEN },
          held: { firstname: 'Ada', lastname: '', agreed: 'true', children: '2', likes: 'x;y' },
        },
        { key: 'b', id: '77', at: WRITTEN, held: { firstname: 'Bo' } },
      ]);
      expect(hub.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'POST /crm/objects/2026-09/contacts/batch/update',
        'POST /crm/objects/2026-09/contacts/batch/upsert',
      ]);
      expect(inputsOf(hub.asked[0])).toEqual([
        { id: '77', objectWriteTraceId: 'b', properties: { firstname: 'Bo', hub_id: 'b' } },
      ]);
      expect(hub.spent()).toBe(2);
    });

    it('finds results by their trace id, and by the key where there is none', async () => {
      hub.script = (one) => ({
        status: 201,
        body: {
          results: inputsOf(one)
            .toReversed()
            .map(({ id, properties }) => ({ id: `id-${id}`, properties, updatedAt: WRITTEN })),
        },
      });
      expect(await contacts([record('a'), record('b')])).toMatchObject([
        { key: 'a', id: 'id-a' },
        { key: 'b', id: 'id-b' },
      ]);
    });

    it('writes the last of several records with one key, and answers for each', async () => {
      const results = await contacts([
        record('a', { firstname: 'Old' }),
        record('b'),
        record('a', { firstname: 'New' }),
      ]);
      expect(results.map(({ key }) => key)).toEqual(['a', 'b', 'a']);
      expect(results[0]).toEqual(results[2]);
      expect(inputsOf(hub.asked[0]).map(({ properties }) => properties)).toEqual([
        { firstname: 'New', hub_id: 'a' },
        { lastname: 'b', hub_id: 'b' },
      ]);
    });

    it('needs 220 calls for 10,000 interactions of 2,000 contacts', async () => {
      const people = Array.from({ length: 2000 }, (_, at) => record(`c${at}`));
      const acts = Array.from({ length: 10_000 }, (_, at) => ({
        ...{ key: `i${at}`, fields: { hs_note_body: 'Hello' } },
        links: { contacts: `id-c${at % 2000}` },
      }));
      const written = await contacts(people);
      const noted = await session.upsert('notes', 'hub_id', acts, hub.call);
      expect([...written, ...noted].every((result) => 'id' in result)).toBe(true);
      expect(hub.asked.length).toBeLessThanOrEqual(220);
      expect(hub.spent()).toBe(hub.asked.length);
    });

    it('links an activity to its contact after it was written', async () => {
      const noted = { key: 'n', fields: { hs_note_body: 'Hello' }, links: { contacts: '5', '31': '6' } };
      expect(await session.upsert('notes', 'hub_id', [noted], hub.call)).toMatchObject([
        { key: 'n', id: 'id-n' },
      ]);
      expect(hub.asked.map(({ path }) => path).slice(1)).toEqual([
        '/crm/associations/2026-09/notes/contacts/batch/create',
        '/crm/associations/2026-09/notes/contacts/batch/create',
      ]);
      expect(hub.asked.slice(1).flatMap((one) => inputsOf(one))).toEqual([
        {
          from: { id: 'id-n' },
          to: { id: '6' },
          types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 31 }],
        },
        {
          from: { id: 'id-n' },
          to: { id: '5' },
          types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 202 }],
        },
      ]);
    });

    it('has the association types of the client', () => {
      const types: unknown = createRequire(import.meta.url)(
        '@hubspot/api-client/lib/src/enums/AssociationTypes.js',
      );
      const named = (name: string) => memberOf(memberOf(types, 'AssociationTypes'), name);
      expect(
        ['communication', 'call', 'email', 'meeting', 'note', 'task'].map((one) => named(`${one}ToContact`)),
      ).toEqual([81, 194, 198, 200, 202, 204]);
    });

    it('refuses a link that it does not know before it writes anything', async () => {
      const odd = { key: 'n', fields: {}, links: { butterflies: '5' } };
      expect(await caught(session.upsert('notes', 'hub_id', [odd], hub.call))).toMatchObject({
        ...{ scope: 'object', why: 'setup', code: 'hubspot-no-association' },
        message: expect.stringContaining('mappings/crm/hubspot.yaml'),
      });
      expect(hub.asked).toEqual([]);
    });

    it('links only what was written, and a refused link is the fault of its record', async () => {
      hub.script = (one) => {
        if (!one.path.includes('associations'))
          return acceptingBut(one, 'bad', { category: 'VALIDATION_ERROR', message: 'no' });
        // As HubSpot: one error names the id, the other nothing at all.
        const to = inputsOf(one).map((input) => String(memberOf(input.to, 'id')));
        const errors = [
          ...(to.includes('unknown')
            ? [
                {
                  ...{ status: 'error', category: 'VALIDATION_ERROR', message: 'unknown is not a valid ID' },
                  ...{ subCategory: 'crm.associations.INVALID_IDENTIFIER', context: { id: ['unknown'] } },
                },
              ]
            : []),
          ...(to.includes('itself')
            ? [
                {
                  status: 'error',
                  category: 'VALIDATION_ERROR',
                  message: 'Object 9 cannot be associated to itself (9)',
                },
              ]
            : []),
        ];
        const made = inputsOf(one).filter((_, at) => !['unknown', 'itself'].includes(to[at] ?? ''));
        const results = made.map(({ from }) => ({ fromObjectId: memberOf(from, 'id'), labels: [] }));
        return { status: 207, body: { status: 'COMPLETE', results, errors, numErrors: errors.length } };
      };
      const note = (key: string, to: string) => ({ key, fields: {}, links: { contacts: to } });
      const results = await session.upsert(
        'notes',
        'hub_id',
        [
          note('ok', '5'),
          note('bad', '5'),
          note('lost', 'unknown'),
          note('self', 'itself'),
          note('too', '5'),
        ],
        hub.call,
      );
      expect(
        results.map((result) =>
          'fault' in result ? [result.key, result.fault.why, result.fault.field] : result.key,
        ),
      ).toEqual([
        'ok',
        ['bad', 'invalid', undefined],
        ['lost', 'invalid', 'contacts'],
        ['self', 'invalid', 'contacts'],
        'too',
      ]);
      expect(inputsOf(hub.asked[1])).toHaveLength(4);
    });
  });

  describe('refusals', () => {
    const error = (category: string | undefined, message: string, more: object = {}) => ({
      ...{ status: 'error', message, correlationId: 'c0895ebf-9e3e-4b7d-b6e6-124e02d3f9c3' },
      ...(category !== undefined && { category }),
      ...more,
    });
    const property = (code: string, name: string, message: string) =>
      error(
        'VALIDATION_ERROR',
        `Property values were not valid: [${JSON.stringify({ isValid: false, message, error: code, name })}]`,
      );
    const limited = (policyName: string) => ({
      status: 'error',
      message: 'You have reached your limit.',
      errorType: 'RATE_LIMIT',
      policyName,
    });
    const later = (afterSeconds: number) => ({ afterSeconds });

    // What HubSpot answers to a single record, and the fault that it is.
    it.each<[string, Answer, object]>([
      [
        'batch-create-invalid-properties-400',
        {
          status: 400,
          body: {
            ...property('PROPERTY_DOESNT_EXIST', 'first000name', 'Property "first000name" does not exist'),
            errors: [
              {
                ...{ message: 'Property "first000name" does not exist', code: 'PROPERTY_DOESNT_EXIST' },
                context: { propertyName: ['first000name'] },
              },
            ],
          },
        },
        { scope: 'object', why: 'setup', field: 'first000name', retry: 'never' },
      ],
      [
        'a property that is only read',
        {
          status: 400,
          body: property(
            'READ_ONLY_VALUE',
            'hs_x',
            '"hs_x" is a read only property; its value cannot be set.',
          ),
        },
        { scope: 'object', why: 'setup', field: 'hs_x' },
      ],
      [
        'validation-error-400',
        {
          status: 400,
          body: error('VALIDATION_ERROR', 'Something.', {
            errors: [
              {
                message: 'discount was not a valid number',
                code: 'INVALID_INTEGER',
                context: { propertyName: ['discount'] },
              },
            ],
          }),
        },
        {
          scope: 'record',
          why: 'invalid',
          field: 'discount',
          code: 'hubspot-invalid-integer',
          retry: 'never',
        },
      ],
      [
        'invalid-email-400',
        { status: 400, body: property('INVALID_EMAIL', 'email', 'Email address name@domain.bad is invalid') },
        { scope: 'record', why: 'invalid', field: 'email', code: 'hubspot-invalid-email' },
      ],
      [
        'an option that the property lacks',
        {
          status: 400,
          body: property('INVALID_OPTION', 'lifecyclestage', 'x was not one of the allowed options'),
        },
        { scope: 'record', why: 'invalid', field: 'lifecyclestage' },
      ],
      [
        'a unique value of another record',
        {
          status: 400,
          body: property(
            'CONFLICTING_UNIQUE_VALUE',
            'hub_id',
            'Cannot set it on 39951. 40051 already has that value.',
          ),
        },
        { scope: 'record', why: 'taken', field: 'hub_id', records: ['40051'] },
      ],
      [
        'batch-create-conflict-409',
        { status: 409, body: error('CONFLICT', 'Contact already exists') },
        { scope: 'record', why: 'taken', records: [], retry: 'never' },
      ],
      [
        'contact-exists-409',
        { status: 409, body: error('CONFLICT', 'Contact already exists. Existing ID: 12345') },
        { scope: 'record', why: 'taken', records: ['12345'] },
      ],
      [
        'upsert-non-unique-property-400',
        {
          status: 400,
          body: error(
            'VALIDATION_ERROR',
            'Unable to perform update/upsert by non-unique 0-2 property domain',
          ),
        },
        { scope: 'object', why: 'setup', field: 'domain' },
      ],
      [
        'search-unknown-object-400',
        { status: 400, body: error(undefined, 'Unable to infer object type from: butterflies') },
        { scope: 'object', why: 'setup' },
      ],
      [
        'missing-scopes-403',
        {
          status: 403,
          body: error('MISSING_SCOPES', 'One or more of the following scopes are required.', {
            context: {
              requiredGranularScopes: ['crm.objects.contacts.write'],
              links: ['https://developers.hubspot.com/scopes'],
            },
          }),
        },
        { scope: 'object', why: 'setup', message: expect.stringContaining('crm.objects.contacts.write') },
      ],
      [
        'too-many-merges-414',
        { status: 414, body: error(undefined, 'Cannot have more than 250 identities on a profile') },
        { scope: 'record', why: 'invalid' },
      ],
      [
        'locked-423',
        { status: 423, body: error('LOCKED', 'resource is locked') },
        { scope: 'record', why: 'raced', retry: later(2) },
      ],
      [
        'rate-limit-ten-secondly-429',
        { status: 429, body: limited('TEN_SECONDLY_ROLLING') },
        { scope: 'connection', why: 'throttled', retry: later(10) },
      ],
      [
        'rate-limit-ten-secondly-429 with Retry-After',
        { status: 429, headers: { 'retry-after': '7' }, body: limited('TEN_SECONDLY_ROLLING') },
        { scope: 'connection', why: 'throttled', retry: later(7) },
      ],
      [
        'rate-limit-secondly-429',
        { status: 429, body: limited('SECONDLY') },
        { scope: 'connection', why: 'throttled', retry: later(1) },
      ],
      [
        'rate-limit-daily-429',
        { status: 429, headers: { date: 'Tue, 03 Mar 2026 14:40:00 GMT' }, body: limited('DAILY') },
        { scope: 'connection', why: 'throttled', retry: later(1200) },
      ],
      [
        'migration-in-progress-477',
        { status: 477, headers: { 'retry-after': '3600' }, body: error(undefined, 'Migration in progress') },
        { scope: 'connection', why: 'throttled', retry: later(3600) },
      ],
      [
        'expired-token-401',
        {
          status: 401,
          body: error(
            'EXPIRED_AUTHENTICATION',
            'The OAuth token used to make this call expired 0 second(s) ago.',
          ),
        },
        { scope: 'connection', why: 'setup', message: expect.stringContaining('accessToken') },
      ],
      [
        'invalid-auth-401',
        { status: 401, body: error('INVALID_AUTHENTICATION', 'Authentication credentials not found.') },
        { scope: 'connection', why: 'setup', code: 'hubspot-invalid-authentication' },
      ],
      [
        'bad-gateway-502-html',
        { status: 502, text: '<html>bad gateway</html>' },
        { scope: 'connection', why: 'down', retry: 'later' },
      ],
      [
        'a page with 200',
        { status: 200, text: '<html>Sign in to the network</html>' },
        { scope: 'connection', why: 'down' },
      ],
      ['a page with 401', { status: 401, text: '<html>proxy</html>' }, { scope: 'connection', why: 'down' }],
      [
        'empty-inputs-silent-noop-200',
        { status: 200, body: { status: 'COMPLETE', results: [], startedAt: WRITTEN, completedAt: WRITTEN } },
        { scope: 'record', why: 'raced', retry: 'later' },
      ],
    ])('%s', async (_, answer, expected) => {
      hub.script = () => answer;
      const fault = await faultOf();
      expect(fault).toBeInstanceOf(CrmFault);
      expect(fault).toMatchObject(expected);
      expect(hub.asked).toHaveLength(1);
    });

    it('says nothing of the values that HubSpot refuses', async () => {
      hub.script = () => ({
        status: 400,
        body: property('INVALID_EMAIL', 'email', 'Email address name@domain.bad is invalid'),
      });
      const fault = await faultOf();
      expect(fault instanceof CrmFault && fault.message).toContain('c0895ebf-9e3e-4b7d-b6e6-124e02d3f9c3');
      expect(fault instanceof CrmFault && fault.message).not.toContain('domain.bad');
    });

    it('batch-create-partial-207 and batch-upsert-partial-2026-09-200: matches errors by their trace id', async () => {
      const refusal = error('CONFLICT', 'Contact already exists. Existing ID: 17', {
        context: { objectWriteTraceId: ['b'], existingId: ['17'] },
      });
      for (const status of [207, 200]) {
        hub.script = (one) => acceptingBut(one, 'b', refusal, status);
        const results = await contacts([record('a'), record('b'), record('c')]);
        expect(results.map((result) => faultIn(result)?.records)).toEqual([undefined, ['17'], undefined]);
        expect(results[1]).toMatchObject({ fault: { scope: 'record', why: 'taken' } });
      }
      expect(hub.asked).toHaveLength(2);
    });

    it('multi-status-docs-207: a property that is missing concerns the object, and the others are written', async () => {
      const refusal = property('PROPERTY_DOESNT_EXIST', 'missing', 'Property "missing" does not exist');
      hub.script = (one) => acceptingBut(one, 'b', { ...refusal, context: { objectWriteTraceId: ['b'] } });
      expect(await contacts([record('a'), record('b')])).toMatchObject([
        { key: 'a', id: 'id-a' },
        { key: 'b', fault: { scope: 'object', why: 'setup', field: 'missing' } },
      ]);
    });

    it('batch-update-partial-207: a deleted record is gone, named by its id alone', async () => {
      const gone = error('OBJECT_NOT_FOUND', 'Could not get some CONTACT objects.', {
        context: { ids: ['8'] },
      });
      hub.script = (one) => acceptingBut(one, 'b', gone);
      expect(
        await contacts([
          { ...record('a'), id: '7' },
          { ...record('b'), id: '8' },
        ]),
      ).toMatchObject([
        { key: 'a', id: '7' },
        { key: 'b', fault: { scope: 'record', why: 'gone', records: [] } },
      ]);
    });

    it('a merged record is gone, into the one that HubSpot wrote instead', async () => {
      hub.script = (one) => {
        const results = inputsOf(one).map(({ properties, objectWriteTraceId }) => ({
          id: '99',
          properties,
          objectWriteTraceId,
        }));
        return { body: { results } };
      };
      expect(await contacts([{ ...record('a'), id: '7' }])).toMatchObject([
        { key: 'a', fault: { scope: 'record', why: 'gone', records: ['99'] } },
      ]);
    });

    it('batch-create-conflict-409: halves a batch that names nobody until the conflicting record is alone', async () => {
      hub.script = (one) =>
        inputsOf(one).some(({ id }) => id === 'c')
          ? { status: 409, body: error('CONFLICT', 'Contact already exists') }
          : accepting(one);
      const results = await contacts(['a', 'b', 'c', 'd'].map((key) => record(key)));
      expect(results.map((result) => faultIn(result)?.why)).toEqual([
        undefined,
        undefined,
        'taken',
        undefined,
      ]);
      expect(hub.asked).toHaveLength(5);
    });

    it('sends a batch again without the record that its refusal names', async () => {
      const refusal = error('CONFLICT', 'Contact already exists. Existing ID: 17', {
        context: { objectWriteTraceId: ['c'] },
      });
      hub.script = (one) =>
        inputsOf(one).some(({ id }) => id === 'c') ? { status: 409, body: refusal } : accepting(one);
      const results = await contacts(['a', 'b', 'c', 'd'].map((key) => record(key)));
      expect(results.map((result) => faultIn(result)?.records)).toEqual([
        undefined,
        undefined,
        ['17'],
        undefined,
      ]);
      expect(hub.asked.map((one) => inputsOf(one).length)).toEqual([4, 3]);
    });

    it('batch-update-duplicate-ids-400: writes records that HubSpot does not take in one batch apart', async () => {
      const duplicates = error(
        'VALIDATION_ERROR',
        'Duplicate IDs found in batch input: [7]. IDs must be unique',
        { context: { ids: ['7'] } },
      );
      hub.script = (one) => {
        const ids = inputsOf(one).map(({ id }) => id);
        return new Set(ids).size < ids.length ? { status: 400, body: duplicates } : accepting(one);
      };
      const results = await contacts([
        { ...record('a'), id: '7' },
        { ...record('b'), id: '7' },
      ]);
      expect(results.every((result) => 'id' in result)).toBe(true);
    });

    it('blames nobody for an error that names nobody before the record is alone', async () => {
      hub.script = (one) => acceptingBut(one, 'b', error('VALIDATION_ERROR', 'Something is not valid'));
      const results = await contacts(['a', 'b', 'c'].map((key) => record(key)));
      expect(results.map((result) => faultIn(result)?.why)).toEqual([undefined, 'invalid', undefined]);
    });

    it('keeps what was written when a later batch is refused', async () => {
      hub.script = (one) =>
        hub.asked.length === 1 ? accepting(one) : { status: 429, body: limited('TEN_SECONDLY_ROLLING') };
      const results = await contacts(Array.from({ length: 150 }, (_, at) => record(`c${at}`)));
      expect(results.filter((result) => 'id' in result)).toHaveLength(100);
      expect(results[149]).toMatchObject({ fault: { scope: 'connection', why: 'throttled' } });
    });

    it('keeps what was written when the budget ends, and rejects where nothing was tried', async () => {
      let left = 1;
      const pause = new HubError('crm-pause', 'No call is left.', { retry: { afterSeconds: 4 } });
      const poor: Call = {
        ...hub.call,
        spend: async () => {
          left -= 1;
          if (left < 0) throw pause;
        },
      };
      const note = (key: string) => ({ key, fields: {}, links: { contacts: '5' } });
      expect(
        await session.upsert('notes', 'hub_id', [note('a'), { key: 'b', fields: {} }], poor),
      ).toMatchObject([
        { key: 'a', fault: { code: 'crm-pause', why: 'throttled', retry: { afterSeconds: 4 } } },
        { key: 'b', id: 'id-b' },
      ]);
      expect(await caught(session.upsert('notes', 'hub_id', [note('a')], poor))).toBe(pause);
    });

    it('an answer that was lost after the write is down, and the same write is made again', async () => {
      hub.script = () => 'lost';
      expect(await faultOf()).toMatchObject({ scope: 'connection', why: 'down', retry: 'later' });
      hub.script = accepting;
      expect(await contacts([record('a')])).toMatchObject([{ key: 'a', id: 'id-a' }]);
      expect(hub.asked[1]?.body).toEqual(hub.asked[0]?.body);
    });

    it('ends with the signal, before the answer and before the request', async () => {
      const controller = new AbortController();
      hub.script = () => {
        controller.abort();
        return 'silent';
      };
      const aborted = { ...hub.call, signal: controller.signal };
      const first = await caught(session.upsert('contacts', 'hub_id', [record('a')], aborted));
      expect(first).toMatchObject({ scope: 'connection', why: 'down' });
      const second = await caught(session.read('contacts', ['1'], [], aborted));
      expect(second).toMatchObject({ scope: 'connection', why: 'down' });
      expect(hub.asked).toHaveLength(1);
    });

    it('reports the allowance that the headers tell', async () => {
      hub.script = (one) => ({
        ...accepting(one),
        headers: {
          ...{ 'x-hubspot-ratelimit-max': '190', 'x-hubspot-ratelimit-remaining': '150' },
          ...{ 'x-hubspot-ratelimit-interval-milliseconds': '10000' },
          ...{ 'x-hubspot-ratelimit-daily': '250000', 'x-hubspot-ratelimit-daily-remaining': '249000' },
        },
      });
      const told: unknown[] = [];
      await session.upsert('contacts', 'hub_id', [record('a')], {
        ...hub.call,
        observe: (one) => told.push(one),
      });
      expect(told).toEqual([
        { used: 40, limit: 190, perSeconds: 10 },
        { used: 1000, limit: 250_000, perSeconds: 86_400 },
      ]);
    });
  });
});
