import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmRecord, CrmSession } from '../../../../core/crm/connector.ts';
import { memberOf } from '../../../../core/formats/payload.ts';
import {
  acceptingBut,
  caught,
  inputsOf,
  record,
  type ScriptedHubspot,
  scriptedHubspot,
  WRITTEN,
} from './scripted-hubspot.ts';

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

  it('needs 22 calls for 1,000 interactions of 200 contacts', async () => {
    const people = Array.from({ length: 200 }, (_, at) => record(`c${at}`));
    const acts = Array.from({ length: 1000 }, (_, at) => ({
      ...{ key: `i${at}`, fields: { hs_note_body: 'Hello' } },
      links: { contacts: `id-c${at % 200}` },
    }));
    const written = await contacts(people);
    const noted = await session.upsert('notes', 'hub_id', acts, hub.call);
    expect([...written, ...noted].every((result) => 'id' in result)).toBe(true);
    expect(hub.asked.length).toBeLessThanOrEqual(22);
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
      [note('ok', '5'), note('bad', '5'), note('lost', 'unknown'), note('self', 'itself'), note('too', '5')],
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
