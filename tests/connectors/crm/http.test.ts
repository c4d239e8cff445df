import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { judge } from '../../../connectors/crm/http/answer.ts';
import { httpConnector } from '../../../connectors/crm/http/index.ts';
import { type Call, unsharedToken } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
import { HttpSection } from '../../../core/crm/mapping/http.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';
import { HubError } from '../../../core/errors.ts';
import { type KnownAnswer, knownCrms, trytonAnswers } from './http-answers.ts';
import { openHttp as open, type Reply, type Seen } from './scripted-http.ts';

const example = CrmMapping.parse(
  parse(readFileSync(new URL('../../../docs/examples/tryton.yaml', import.meta.url), 'utf8')),
);

describe('answers', () => {
  const name = { crm: 'till', title: 'Till' };
  const verdictOf = (errors: HttpSection['errors'], answer: KnownAnswer): CrmFault | undefined => {
    const { status, headers = {}, body, isOfRecord = false } = answer;
    const { success } = HttpSection.parse({ host: 'https://till.example.com', objects: {} });
    return judge(name, { errors, success })({ status, headers, body }, { object: 'people', isOfRecord });
  };
  const all = [
    ...Object.entries(knownCrms).flatMap(([crm, { errors, answers }]) => {
      const section = HttpSection.parse({ host: 'https://till.example.com', errors, objects: {} });
      return answers.map((answer) => ({ crm, answer, errors: section.errors }));
    }),
    ...trytonAnswers.map((answer) => ({ crm: 'tryton', answer, errors: example.http?.errors ?? [] })),
  ];
  it.each(all)('$crm: $answer.name', ({ answer, errors }) => {
    const fault = verdictOf(errors, answer);
    expect(fault === undefined ? 'ok' : `${fault.scope} ${fault.why}`).toBe(answer.is);
    if (answer.afterSeconds !== undefined)
      expect(fault?.retry).toEqual({ afterSeconds: answer.afterSeconds });
  });
  it('no word of the CRM goes into a reason', () => {
    const answer: KnownAnswer = {
      name: '',
      status: 422,
      body: { message: 'ada@example.com is taken' },
      is: 'ok',
    };
    expect(verdictOf([], answer)?.message).toBe(
      'Till refused a record of people with status 422: it does not accept what was sent.',
    );
  });
});

const call: Call = { signal: new AbortController().signal, spend: async () => {}, sleep: async () => {} };

const byKey = {
  objects: {
    people: {
      upsert: { request: 'PUT /people/{{ record.key }}', json: '{{ record.values }}', id: 'body.id' },
    },
  },
};
const ada = { key: 'acme:../1?x', fields: { name: 'Ada "\n{{ x }}', age: 5 } };

describe('requests', () => {
  it('no value breaks out of its place', async () => {
    const { session, seen } = await open(byKey, () => ({ body: { id: 7 } }));
    expect(await session.upsert('people', 'hub', [ada], call)).toEqual([{ key: ada.key, id: '7' }]);
    expect(seen[0]?.line).toBe('PUT /people/acme:..%2F1%3Fx');
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ ...ada.fields, hub: ada.key });
  });
  it('the names of a query are templates too', async () => {
    const find = {
      field: { request: 'GET /people', query: { '{{ field }}': '{{ value }}' }, records: 'body' },
    };
    const { session, seen } = await open({ objects: { people: { ...byKey.objects.people, find } } }, () => ({
      body: [],
    }));
    await session.find('people', { field: 'hub_id' }, ['acme:1'], [], call);
    expect(seen[0]?.line).toBe('GET /people?hub_id=acme%3A1');
  });
  it.each(['..', '.', ''])('a key that is %j is refused and nothing is sent', async (key) => {
    const { session, seen } = await open(byKey, () => ({ body: { id: 7 } }));
    const [result] = await session.upsert('people', 'hub', [{ key, fields: {} }], call);
    expect(result).toMatchObject({ fault: { scope: 'record', why: 'invalid' } });
    expect(seen).toEqual([]);
  });
  it('a redirect is not followed', async () => {
    const { session, seen } = await open(byKey, () => ({ status: 307, headers: { location: '/elsewhere' } }));
    const [result] = await session.upsert('people', 'hub', [ada], call);
    expect(result).toMatchObject({ fault: { scope: 'connection', why: 'setup' } });
    expect(seen).toHaveLength(1);
  });
  it('an answer that is too large is cut off', async () => {
    const { session } = await open(byKey, () => ({ body: 'x'.repeat(6 * 1024 * 1024) }));
    const [result] = await session.upsert('people', 'hub', [ada], call);
    expect(result).toMatchObject({ fault: { scope: 'object', why: 'setup' } });
  });
  it('a page in place of an answer is an error where the mapping says what a success is', async () => {
    const section = { ...byKey, success: { body: { id: [{ exists: true }] } } };
    const { session } = await open(section, () => ({ body: '<html>' }));
    const [result] = await session.upsert('people', 'hub', [ada], call);
    expect(result).toMatchObject({ fault: { scope: 'connection', why: 'down' } });
  });
  it('a lost answer is down, and is a result of each record', async () => {
    const { session } = await open(byKey, () => 'lost');
    const results = await session.upsert('people', 'hub', [ada, { ...ada, key: 'b' }], call);
    expect(results.map((one) => 'fault' in one && one.fault.why)).toEqual(['down', 'down']);
  });
  it('http is only for this machine', async () => {
    const http = HttpSection.parse({ host: 'http://127.0.0.1:9001', ...byKey });
    const world = { fetch, now: () => 0, isLocal: false };
    const connector = httpConnector({ crm: 'till', title: 'Till', section: async () => http, world });
    await expect(connector.open({ a: 'b' }, unsharedToken, call.signal)).rejects.toMatchObject({
      why: 'setup',
    });
  });
  it.each([
    'http://crm.example.com',
    'https://10.0.0.1',
    'https://localhost',
    'https://a@b.example',
    'https://b.example/x',
  ])('%s is no host', (host) => expect(HttpSection.safeParse({ host, objects: {} }).success).toBe(false));
});

describe('credentials', () => {
  it('bearer and basic', async () => {
    const bearer = await open({ ...byKey, auth: { bearer: '{{ secret.token }}' } }, () => ({
      body: { id: 1 },
    }));
    await bearer.session.upsert('people', 'hub', [ada], call);
    expect(bearer.seen[0]?.headers.authorization).toBe('Bearer a-secret-token');
    const auth = { basic: { user: 'hub', password: '{{ secret.token }}' } };
    const basic = await open({ ...byKey, auth }, () => ({ body: { id: 1 } }));
    await basic.session.upsert('people', 'hub', [ada], call);
    expect(basic.seen[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('hub:a-secret-token').toString('base64')}`,
    );
  });
  it('a missing member of the secret stops the connection and is named without a value', async () => {
    const { session, seen } = await open({ ...byKey, auth: { bearer: '{{ secret.nope }}' } }, () => ({}));
    const [result] = await session.upsert('people', 'hub', [ada], call);
    expect(result).toMatchObject({ fault: { scope: 'connection', why: 'setup' } });
    expect(JSON.stringify(result)).not.toContain('a-secret-token');
    expect(seen).toEqual([]);
  });
  it('Standard Webhooks', async () => {
    const section = { ...byKey, sign: { standardWebhooks: 'whsec_{{ secret.key }}' } };
    const key = Buffer.from('0123456789').toString('base64');
    const { session, seen } = await open(section, () => ({ body: { id: 1 } }), { key });
    await session.upsert('people', 'hub', [ada], call);
    const { headers, body = '' } = seen[0] ?? {};
    const signed = `${headers?.['webhook-id']}.1700000000.${body}`;
    expect(headers?.['webhook-signature']).toBe(
      `v1,${createHmac('sha256', '0123456789').update(signed).digest('base64')}`,
    );
  });
  it('logs in, and again where the token has expired', async () => {
    let token = 0;
    const section = {
      ...byKey,
      login: { request: 'POST /login', form: { password: '{{ secret.token }}' }, token: 'body.token' },
      headers: { 'x-token': '{{ token }}' },
    };
    const { session, seen } = await open(section, ({ line, headers }) => {
      if (line === 'POST /login') return { body: { token: `t${++token}` } };
      return headers['x-token'] === 't2' ? { body: { id: 1 } } : { status: 401 };
    });
    expect(await session.upsert('people', 'hub', [ada], call)).toEqual([{ key: ada.key, id: '1' }]);
    expect(seen.map(({ line }) => line.split('/')[1])).toEqual(['login', 'people', 'login', 'people']);
    expect(seen[0]?.body).toBe('password=a-secret-token');
  });
  it('a refused login is a matter of the connection', async () => {
    const login = { request: 'POST /login', json: {}, token: 'body.token' };
    await expect(open({ ...byKey, login }, () => ({ status: 403 }))).rejects.toMatchObject({
      ...{ scope: 'connection', why: 'setup' },
    });
  });
});

const found = {
  find: {
    field: {
      request: 'POST /search',
      batch: 10,
      json: { field: '{{ field }}', in: '{{ values }}' },
      records: 'body',
    },
  },
};
const findThenWrite = {
  idempotencyKey: 'Idempotency-Key',
  objects: {
    notes: {
      ...found,
      unique: false,
      create: {
        request: 'POST /notes',
        batch: 4,
        json: [{ $each: 'records', $as: 'one', $value: '{{ one.values }}' }],
        id: 'body',
      },
      remove: { request: 'DELETE /notes/{{ id }}' },
    },
  },
};

describe('find, then write', () => {
  /** Keeps notes, as a CRM without unique keys does. */
  const store = (refuse: (notes: readonly { text?: string }[]) => Reply | undefined = () => undefined) => {
    const notes = new Map<number, Record<string, unknown>>();
    const reply = ({ line, body }: Seen): Reply => {
      const asked = body === '' ? undefined : JSON.parse(body);
      if (line === 'POST /search')
        return {
          body: [...notes].flatMap(([id, note]) => (asked.in.includes(note['hub']) ? [{ id, ...note }] : [])),
        };
      if (line.startsWith('DELETE')) return { body: String(notes.delete(Number(line.split('/')[2]))) };
      const refused = refuse(asked);
      if (refused !== undefined && refused !== 'lost') return refused;
      const ids = asked.map((note: Record<string, unknown>) => {
        notes.set(notes.size + 1, note);
        return notes.size;
      });
      return refused ?? { body: ids };
    };
    return { notes, reply };
  };
  const records = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, fields: { text: key } }));

  it('writes in batches, and finds what was written when the answer was lost', async () => {
    let isLost = true;
    const { notes, reply } = store(() => (isLost ? 'lost' : undefined));
    const { session, seen } = await open(findThenWrite, reply);
    const first = await session.upsert('notes', 'hub', records, call);
    expect(first.every((one) => 'fault' in one && one.fault.why === 'down')).toBe(true);
    isLost = false;
    const second = await session.upsert('notes', 'hub', records, call);
    expect(second.map((one) => 'id' in one && one.id).toSorted()).toEqual(['1', '2', '3', '4', '5']);
    expect(notes.size).toBe(5);
    const keys = seen.flatMap(({ headers }) => headers['idempotency-key'] ?? []);
    expect(keys.length).toBeGreaterThan(0);
    expect(new Set(keys).size).toBe(keys.length);
  });
  it('halves a refused batch until the record at fault is alone', async () => {
    const { notes, reply } = store((all) =>
      all.some(({ text }) => text === 'b') ? { status: 400 } : undefined,
    );
    const { session } = await open(findThenWrite, reply);
    const results = await session.upsert('notes', 'hub', records, call);
    expect(results.flatMap((one) => ('fault' in one ? [one.key, one.fault.why] : []))).toEqual([
      'b',
      'invalid',
    ]);
    expect(notes.size).toBe(4);
  });
  it('of two records that two workers have created the first remains', async () => {
    const { notes, reply } = store();
    const other = (seen: Seen): Reply => {
      if (seen.line === 'POST /notes' && notes.size === 0) notes.set(1, { hub: 'a' });
      return reply(seen);
    };
    const { session } = await open(findThenWrite, other);
    const [only] = records;
    expect(await session.upsert('notes', 'hub', only ? [only] : [], call)).toEqual([{ key: 'a', id: '1' }]);
    expect([...notes.keys()]).toEqual([1]);
  });
  it('a pause of the budget leaves what was written, and the rest for later', async () => {
    const { session } = await open(findThenWrite, store().reply);
    let left = 2;
    const spend = async (): Promise<void> => {
      if (left-- <= 0) throw new HubError('crm-pause', 'Later.', { retry: { afterSeconds: 3 } });
    };
    const { length } = records;
    const results = await session.upsert('notes', 'hub', records, { ...call, spend });
    expect(results).toHaveLength(length);
    expect(results.every((one) => 'fault' in one && one.fault.scope === 'record')).toBe(true);
    expect(results.map((one) => 'fault' in one && one.fault.retry)).toEqual(
      Array(length).fill({ afterSeconds: 3 }),
    );
  });
  it('deletes by the key; what is not there counts as not found', async () => {
    const { session } = await open(findThenWrite, store().reply);
    await session.upsert('notes', 'hub', records.slice(0, 1), call);
    expect(await session.remove('notes', 'hub', ['a', 'z'], call)).toEqual([
      { key: 'a', found: true },
      { key: 'z', found: false },
    ]);
  });
});

describe('messages of a case', () => {
  const comments = {
    objects: {
      comments: {
        create: {
          request: 'POST /tickets/{{ record.fields.ticket }}/comments',
          json: { text: '{{ record.fields.text }}' },
          id: 'body.id',
        },
        find: { field: { request: 'GET /tickets/{{ value }}/comments', records: 'body' } },
        remove: { request: 'DELETE /comments/{{ id }}' },
      },
    },
  };
  const hello = { key: 'i1', parent: '7', fields: { text: 'Hello' } };

  it('are made under it without a key, found under it, and deleted by their ids', async () => {
    const { session, seen } = await open(comments, ({ line }) =>
      line.startsWith('GET') ? { body: [{ id: 3, ticket: 7, text: 'Hello' }] } : { body: { id: 3 } },
    );
    expect(await session.addChildren('comments', 'ticket', [hello], call)).toEqual([{ key: 'i1', id: '3' }]);
    const held = await session.children('comments', 'ticket', ['7'], ['text'], call);
    expect(held.get('7')).toMatchObject([{ id: '3', fields: { text: 'Hello' } }]);
    await session.removeChildren?.('comments', ['3'], call);
    expect(seen.map(({ line, body }) => `${line} ${body}`.trim())).toEqual([
      'POST /tickets/7/comments {"text":"Hello"}',
      'GET /tickets/7/comments',
      'DELETE /comments/3',
    ]);
  });

  it('may be there where the answer was lost', async () => {
    const { session } = await open(comments, () => 'lost');
    const [result] = await session.addChildren('comments', 'ticket', [hello], call);
    expect(result).toMatchObject({ key: 'i1', fault: { scope: 'connection', why: 'down' } });
  });
});
