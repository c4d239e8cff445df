import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call, CrmRecord, CrmSession } from '../../../../core/crm/connector.ts';
import { HubError } from '../../../../core/errors.ts';
import {
  accepting,
  acceptingBut,
  caught,
  faultIn,
  inputsOf,
  limitOf,
  problemOf,
  record,
  refusalOf,
  type ScriptedHubspot,
  scriptedHubspot,
} from './scripted-hubspot.ts';

describe('HubSpot refuses some of a batch', () => {
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

  it('batch-create-partial-207 and batch-upsert-partial-2026-09-200: matches errors by their trace id', async () => {
    const refusal = refusalOf('CONFLICT', 'Contact already exists. Existing ID: 17', {
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
    const refusal = problemOf('PROPERTY_DOESNT_EXIST', 'missing', 'Property "missing" does not exist');
    hub.script = (one) => acceptingBut(one, 'b', { ...refusal, context: { objectWriteTraceId: ['b'] } });
    expect(await contacts([record('a'), record('b')])).toMatchObject([
      { key: 'a', id: 'id-a' },
      { key: 'b', fault: { scope: 'object', why: 'setup', field: 'missing' } },
    ]);
  });

  it('batch-update-partial-207: a deleted record is gone, named by its id alone', async () => {
    const gone = refusalOf('OBJECT_NOT_FOUND', 'Could not get some CONTACT objects.', {
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
        ? { status: 409, body: refusalOf('CONFLICT', 'Contact already exists') }
        : accepting(one);
    const results = await contacts(['a', 'b', 'c', 'd'].map((key) => record(key)));
    expect(results.map((result) => faultIn(result)?.why)).toEqual([undefined, undefined, 'taken', undefined]);
    expect(hub.asked).toHaveLength(5);
  });

  it('sends a batch again without the record that its refusal names', async () => {
    const refusal = refusalOf('CONFLICT', 'Contact already exists. Existing ID: 17', {
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
    const duplicates = refusalOf(
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
    hub.script = (one) => acceptingBut(one, 'b', refusalOf('VALIDATION_ERROR', 'Something is not valid'));
    const results = await contacts(['a', 'b', 'c'].map((key) => record(key)));
    expect(results.map((result) => faultIn(result)?.why)).toEqual([undefined, 'invalid', undefined]);
  });

  it('keeps what was written when a later batch is refused', async () => {
    hub.script = (one) =>
      hub.asked.length === 1 ? accepting(one) : { status: 429, body: limitOf('TEN_SECONDLY_ROLLING') };
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
