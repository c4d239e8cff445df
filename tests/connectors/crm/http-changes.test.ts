import { describe, expect, it } from 'vitest';
import type { Call, Changes, CrmSession } from '../../../core/crm/connector.ts';
import { HttpSection } from '../../../core/crm/mapping/http.ts';
import { CrmMapping, compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { openHttp } from './scripted-http.ts';

const call: Call = { signal: new AbortController().signal, spend: async () => {}, sleep: async () => {} };
const FROM = '2026-03-01T12:00:00.000Z';
const UNTIL = '2026-03-01T13:00:00.000Z';

const people = {
  record: { emails: 'mail', contact: 'person', modifiedAt: 'updated', gone: { state: ['archived'] } },
  upsert: { request: 'PUT /people/{{ record.key }}', json: '{{ record.values }}', id: 'body.id' },
  read: { request: 'GET /people/{{ id }}', records: 'body' },
  changes: {
    request: 'GET /people',
    query: { since: '{{ since }}', until: '{{ until }}', page: '{{ cursor }}' },
    records: 'body.items',
    next: 'body.next',
  },
};
const at = (id: number, minute: number, more: object = {}) => ({
  ...{ id, name: `Name ${id}`, updated: `2026-03-01T12:${String(minute).padStart(2, '0')}:00Z`, ...more },
});
const ask = async (session: CrmSession, cursor?: string, until = UNTIL): Promise<Changes> => {
  const since = { fields: ['name'], from: FROM, until, ...(cursor !== undefined && { cursor }) };
  const page = await session.changes?.('people', since, call);
  if (page === undefined) throw new Error('The CRM is not asked for changes.');
  return page;
};
const idsIn = ({ records }: Changes): string[] => records.map(({ id }) => id);

describe('changes of a CRM by its mapping', () => {
  it('are asked for since the latest one that was read, and those up to then are left out', async () => {
    const pages = [[at(1, 1), at(2, 5, { person: 9 })], [at(2, 5), at(3, 6)], [at(3, 6)]];
    const { session, seen } = await openHttp({ objects: { people } }, () => ({
      body: { items: pages.shift() },
    }));
    const first = await ask(session);
    expect(first).toMatchObject({ hasMore: false, deleted: [] });
    expect(first.records).toMatchObject([
      { id: '1', fields: { name: 'Name 1' } },
      { id: '2', contact: '9' },
    ]);
    const second = await ask(session, first.next);
    expect(idsIn(second)).toEqual(['3']);
    const third = await ask(session, second.next);
    expect([idsIn(third), third.next]).toEqual([[], second.next]);
    expect(
      seen.map(({ line }) => new URL(line.split(' ')[1] ?? '', 'http://x').searchParams.get('since')),
    ).toEqual([...[FROM, '2026-03-01T12:05:00.000Z', '2026-03-01T12:06:00.000Z']]);
  });

  it('may come in pages of any order: the time moves on with the last page', async () => {
    const pages = [
      { items: [at(3, 30)], next: 'p2' },
      { items: [at(1, 10), at(2, 20)], next: null },
    ];
    const { session, seen } = await openHttp({ objects: { people } }, () => ({ body: pages.shift() }));
    const first = await ask(session);
    expect([idsIn(first), first.hasMore]).toEqual([['3'], true]);
    const second = await ask(session, first.next);
    expect([idsIn(second), second.hasMore]).toEqual([['1', '2'], false]);
    expect(seen[1]?.line).toContain(`since=${encodeURIComponent(FROM)}`);
    expect(seen[1]?.line).toContain('page=p2');
    expect(JSON.parse(second.next)).toEqual({ since: '2026-03-01T12:30:00.000Z' });
  });

  it('that are later than asked for are left to the next time', async () => {
    const { session } = await openHttp({ objects: { people } }, () => ({
      body: { items: [at(1, 10), at(2, 20)] },
    }));
    const first = await ask(session, undefined, '2026-03-01T12:15:00.000Z');
    expect(idsIn(first)).toEqual(['1']);
    expect(idsIn(await ask(session, first.next))).toEqual(['2']);
  });

  it('are deletions where the record is not in use any more, which is then not read either', async () => {
    const { session } = await openHttp({ objects: { people } }, ({ line }) => ({
      body: line.startsWith('GET /people?')
        ? { items: [at(1, 10, { state: 'archived' }), at(2, 20)] }
        : at(1, 10, { state: 'archived' }),
    }));
    expect(await ask(session)).toMatchObject({
      ...{ records: [{ id: '2' }], deleted: [{ id: '1', at: '2026-03-01T12:10:00.000Z' }] },
    });
    expect((await session.read('people', ['1'], [], call)).size).toBe(0);
  });
});

describe('a mapping', () => {
  const contact = { object: 'people', key: 'hub', match: [], fields: { name: { from: 'displayName' } } };
  const http = { host: 'https://till.example.com' };

  it('follows the contact and other objects where it says how, and nothing else', () => {
    const { upsert: _, ...readOnly } = people;
    const mapping = {
      contact,
      changes: { tickets: ['state'] },
      http: { ...http, objects: { people, tickets: readOnly } },
    };
    expect([...compileMapping('till', mapping).followed]).toEqual([
      ['people', ['name']],
      ['tickets', ['state']],
    ]);
    const { changes: __, ...silent } = people;
    expect(
      compileMapping('till', { contact, http: { ...http, objects: { people: silent } } }).followed.size,
    ).toBe(0);
    expect([...compileMapping('servicenow', { contact }).followed]).toEqual([['people', ['name']]]);
  });

  it.each([
    [{ changes: { tickets: ['state'] }, objects: { people } }, 'changes names tickets'],
    [{ objects: { people: { ...people, upsert: undefined } } }, 'expected upsert, or create'],
  ])('%o: %s', ({ objects, ...more }, message) => {
    const { error } = CrmMapping.safeParse({ contact, ...more, http: { ...http, objects } });
    expect(JSON.stringify(error?.issues)).toContain(message);
  });

  it('needs the time of a change', () => {
    const objects = { people: { ...people, record: { emails: 'mail' } } };
    expect(JSON.stringify(HttpSection.safeParse({ ...http, objects }).error?.issues)).toContain(
      'record.modifiedAt',
    );
  });
});
