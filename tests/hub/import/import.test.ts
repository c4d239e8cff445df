import { afterEach, describe, expect, it } from 'vitest';
import { openTestHub, type TestHub, type TestHubOptions } from '../../support/open-test-hub.ts';
import { begin, end, importFile } from './file.ts';

let hub: TestHub;
const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub(options);
};
afterEach(() => hub.stop());

const people = (count: number): string =>
  `email,name\n${Array.from({ length: count }, (_, n) => `p${n}@example.com,P ${n}\n`).join('')}`;
const countRows = async (text: string): Promise<number> => (await hub.rows(text)).length;
const profiles = (): Promise<number> => countRows('"sk":{"S":"profile"}');

const customer = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;

describe('a list of customers', () => {
  it('in CSV sets every field that a column names', async () => {
    await open();
    const { state, progress } = await importFile(
      hub,
      'customers',
      `\ufeffE-mail;phone;user-id;name.first;name.last;language;timeZone;stage;tags;trait.size:number;consent.email;consent.email.at;preference.channel;Note\r
Ada@Example.com;+39 06 1234 5678;42;Ada;"Lovelace; ""the first""";it;Europe/Rome;lead;vip, press;4.5;subscribed;2025-05-01;sms;x\r
;;;;;;;;;;;;;\r
"bob@example.com";;;;"Bob
Two lines";;;;;;;;;\r
`,
      { file: 'people.csv', map: { 'E-mail': 'email' }, ignore: ['Note'], consent: { source: 'fair 2025' } },
    );
    expect([state, progress]).toEqual(['succeeded', { done: 2, refused: 0, total: 2 }]);
    expect(await customer('user-id:42')).toMatchObject({
      identifiers: ['user-id:42', 'email:ada@example.com', 'phone:+390612345678'],
      name: { first: 'Ada', last: 'Lovelace; "the first"' },
      ...{
        language: 'it',
        timeZone: 'Europe/Rome',
        stage: 'lead',
        tags: ['vip', 'press'],
        traits: { size: 4.5 },
      },
      consent: {
        email: {
          status: 'granted',
          at: '2025-05-01T00:00:00.000Z',
          source: expect.stringMatching(/^import:.*:2$/),
          evidence: 'people.csv, line 2, list of 2026-03-02: fair 2025',
        },
      },
      preferences: { channel: 'sms' },
    });
    expect(await customer('email:bob@example.com')).toMatchObject({ name: { last: 'Bob\nTwo lines' } });
  });

  it('in NDJSON sets the same fields, and each refused row has its reason', async () => {
    await open();
    const { progress, refusedFile } = await importFile(
      hub,
      'customers',
      [
        '{"email":["ada@example.com","a@b.example"],"user-id":42,"name":"Ada","traits":{"n":[1]},"consent":{"sms":"no","email":{"status":"granted","at":"2025-05-01"}}}',
        '{"email":"x@example.com","nickname":"X"}',
        'not json',
        '{"name":"Nobody"}',
        '{"email":"x@example.com","consent":{"email":{"status":"granted","at":"2099-01-01"}}}',
        '{"email":"x@example.com","timeZone":"Mars/North"}',
      ].join('\n'),
      { format: 'ndjson' },
    );
    expect(progress).toEqual({ done: 1, refused: 5, total: 6 });
    expect(await customer('email:a@b.example')).toMatchObject({
      identifiers: ['user-id:42', 'email:ada@example.com', 'email:a@b.example'],
      ...{ name: { full: 'Ada' }, traits: { n: [1] } },
      consent: { sms: { status: 'denied' }, email: { status: 'granted' } },
    });
    const lines = refusedFile.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).refused)).toEqual([
      { line: 2, reason: expect.stringContaining('nickname') },
      { line: 3, reason: 'the line is not a JSON object', text: 'not json' },
      { line: 4, reason: expect.stringContaining('the row names no customer') },
      { line: 5, reason: expect.stringContaining('is in the future') },
      { line: 6, reason: expect.stringContaining('Europe/Rome') },
    ]);
    const mended = lines.slice(4).join('\n').replace('Mars/North', 'Europe/Paris');
    const again = await importFile(hub, 'customers', mended, { format: 'ndjson' });
    expect(again.progress).toEqual({ done: 1, refused: 0, total: 1 });
  });

  it('imported twice creates no customer twice', async () => {
    await open();
    await importFile(hub, 'customers', people(90));
    const rows = async () => [...(await hub.timeline()), await profiles()];
    const before = await rows();
    await importFile(hub, 'customers', people(90));
    expect([before.at(-1), await rows()]).toEqual([90, before]);
  });

  it('in a dry run stores nothing, and refuses the same rows', async () => {
    await open();
    const { progress, refusedFile } = await importFile(hub, 'customers', `${people(3)}x,y,z\n`, {
      dryRun: true,
    });
    expect([progress, await profiles()]).toEqual([{ done: 3, refused: 1, total: 4 }, 0]);
    expect(refusedFile).toMatch(
      /^\ufeffrefused.line,refused.reason,email,name\n5,"the row has 3 fields, and the header has 2",x,y,z\n$/,
    );
  });

  it.each([
    ['unknown columns', 'Fax;email\na;b\n', {}, /"Fax".*trait\.<name>/s],
    ['nobody named', 'name\nAda\n', {}, /identifies the customer/],
    ['a mapping of what is not there', 'email\n', { map: { Mail: 'email' } }, /no column "Mail"/],
    ['a spreadsheet', Buffer.from('PK\x03\x04'), {}, /spreadsheet/],
    ['nothing', '', {}, /empty/],
  ])('with %s fails as a whole with the reason', async (_, text, parameters, reason) => {
    await open();
    const { state, error, progress } = await importFile(hub, 'customers', text, parameters);
    expect([state, error?.reason, progress.done]).toEqual(['failed', expect.stringMatching(reason), 0]);
  });

  it('whose file was never uploaded fails with the reason', async () => {
    await open();
    const asked = { kind: 'import-customers', parameters: { format: 'csv' } };
    const { id } = (await hub.api('POST', '/jobs', asked)).body;
    await hub.api('POST', `/jobs/${id}/start`);
    expect(await end(hub, id)).toMatchObject({ state: 'failed', error: { code: 'missing-file' } });
  });

  it('is synchronised with the first interaction, or at once where the job says so', async () => {
    await open();
    await importFile(hub, 'customers', people(2));
    const contacts = () => hub.crms.countRecords()['salesforce']?.['Contact'] ?? 0;
    expect(contacts()).toBe(0);
    await importFile(hub, 'customers', people(2), { toCrms: true });
    expect(contacts()).toBe(2);
  });
});

describe('an interrupted import', () => {
  it.each([
    ['sqs', 'SendMessageBatch'],
    ['s3', 'PutObject'],
    ['s3', 'GetObject'],
    ['dynamodb', 'TransactWriteItems'],
  ])('at each call of %s %s continues and imports every row once', async (service, operation) => {
    let [calls, kills] = [0, 0];
    await open({
      before(asked, what, caller) {
        if (asked !== service || what !== operation || !/JobsFunction/.test(caller)) return;
        // Every other call is lost on its way.
        if (calls++ % 2 === 0 && kills < 4) {
          kills++;
          throw new Error('the function is gone');
        }
      },
    });
    const { state, progress, refusedFile } = await importFile(hub, 'customers', `${people(300)}x,y,z\n`);
    expect([state, progress, await profiles()]).toEqual([
      'succeeded',
      { done: 300, refused: 1, total: 301 },
      300,
    ]);
    expect(refusedFile.split('\n').length).toBe(3);
    expect(kills).toBeGreaterThan(0);
    expect(await hub.failures()).toEqual([]);
  });

  it('while rows are recorded loses none: the message is retried, and recorded rows are skipped', async () => {
    let kills = 0;
    await open({
      before(service, operation, caller) {
        if (service !== 'dynamodb' || operation !== 'TransactWriteItems' || !/Record/.test(caller)) return;
        if (++kills % 50 === 0 && kills < 500) throw new Error('the function is gone');
      },
    });
    expect(await importFile(hub, 'customers', people(300))).toMatchObject({ state: 'succeeded' });
    expect(await profiles()).toBe(300);
    expect(await countRows('"imported":')).toBe(300);
  });

  it('by a person stops, and shows its progress', async () => {
    let id = '';
    await open({
      around: async (invoke, target, event) => {
        const answer = await invoke(target, event);
        if (/JobsFunction/.test(target.name)) await hub.api('POST', `/jobs/${id}/cancel`);
        return answer;
      },
    });
    id = await begin(hub, 'customers', people(30));
    expect(await end(hub, id)).toMatchObject({ state: 'cancelled' });
  });
});

describe('history', () => {
  const acts = `id,occurredAt,kind,channel,direction,email,text,property.total:number,refersTo
z-1,2019-05-01T10:00:00+02:00,message,email,inbound,ada@example.com,"Where is it?",,
z-2,2019-05-02,message,email,outbound,ada@example.com,It comes,,z-1
z-3,2019-06-01T00:00:00Z,order,web,inbound,ada@example.com,,19.9,
z-4,,order,web,inbound,ada@example.com,,19.9,
z-5,2019-06-01T00:00:00Z,order,web,inbound,ada@example.com,,19;9,
`;

  it('keeps its dates and ids, and is stored once when it is imported twice', async () => {
    await open();
    const first = await importFile(hub, 'interactions', acts, { from: 'zendesk' });
    expect(first.progress).toEqual({ done: 3, refused: 2, total: 5 });
    expect(first.refusedFile).toMatch(/^5,.*occurredAt.*\n6,.*number/m);
    const { id } = await customer('email:ada@example.com');
    const timeline = async () => (await hub.api('GET', `/customers/${id}/timeline?order=oldest`)).body.items;
    const before = await timeline();
    expect(before).toMatchObject([
      {
        occurredAt: '2019-05-01T08:00:00.000Z',
        text: 'Where is it?',
        provider: 'import',
        account: 'zendesk',
      },
      { occurredAt: '2019-05-02T00:00:00.000Z', direction: 'outbound' },
      { occurredAt: '2019-06-01T00:00:00.000Z', kind: 'order', properties: { total: 19.9 } },
    ]);
    await importFile(hub, 'interactions', acts, { from: 'zendesk' });
    expect(await timeline()).toEqual(before);
    await importFile(hub, 'interactions', acts, { from: 'freshdesk' });
    expect((await timeline()).length).toBe(6);
  });

  it('is synchronised with the CRMs', async () => {
    await open();
    await importFile(hub, 'interactions', acts);
    expect(hub.crms.countRecords()).toMatchObject({ salesforce: { Contact: 1, Task: 3 } });
  });

  it('in NDJSON has the shape of an event of the API', async () => {
    await open();
    const act = { id: 't', kind: 'order', occurredAt: '2020-01-01T00:00:00Z', identifiers: ['user-id:42'] };
    const text = [act, { ...act, id: 'u', surprise: 1 }].map((one) => JSON.stringify(one)).join('\n');
    const { progress } = await importFile(hub, 'interactions', text, { format: 'ndjson' });
    expect(progress).toEqual({ done: 1, refused: 1, total: 2 });
    expect(await customer('user-id:42')).toMatchObject({ firstSeenAt: '2020-01-01T00:00:00.000Z' });
  });

  it('fires no trigger, however recent it is', async () => {
    await open();
    const at = new Date(hub.clock.now() - 60_000).toISOString();
    const bought = { kind: 'order', properties: { status: 'paid', order: '1' } };
    const report = { ...bought, occurredAt: at, identifiers: ['email:ada@example.com'] };
    await importFile(hub, 'interactions', JSON.stringify({ ...report, id: 'old' }), { format: 'ndjson' });
    const decided = (): Promise<number> => countRows('"sk":{"S":"notification#');
    expect(await decided()).toBe(0);
    await hub.api('POST', '/events', [
      { ...report, id: 'new', occurredAt: new Date(hub.clock.now()).toISOString() },
    ]);
    await hub.settle();
    expect(await decided()).toBeGreaterThan(0);
  });
});
