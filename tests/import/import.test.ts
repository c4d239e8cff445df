import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHub, type TestHub } from '../failures/hub.ts';
import { importFile } from './file.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await openHub();
});
afterEach(() => hub.cloud.stop());

const customer = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;

describe('a list of customers', () => {
  it('in CSV fills every field that a column names', async () => {
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
});
