import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SignedReceipt } from '../../../core/privacy/receipt.ts';
import { bucket as bucketOf } from '../../../functions/aws/clients/bucket.ts';
import { openTestHub } from '../../support/open-test-hub.ts';
import { eraseCustomer } from './erase-customer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'erasure-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const MINUTE = 60_000;
const DELIVERIES = /^Deliveries(?!Dead)/u;
const [MAIL, PHONE, OTHER] = ['email:ada.lovelace@example.com', 'phone:+14155550100', 'phone:+14155550142'];
/** What must not be found of Ada, and what must be found of Grace, who stays. */
const ofAda = ['ada.lovelace@', '4155550100', '4155550142', '4155550199', 'Lovelace', 'xyzzy'];
const ofGrace = ['grace@example.org', 'plugh'];

/** Everything that the console was told. */
const listening = (): string[] => {
  const lines: string[] = [];
  for (const level of ['info', 'warn', 'error', 'log'] as const)
    vi.spyOn(console, level).mockImplementation((...args) => {
      lines.push(args.map(String).join(' '));
    });
  return lines;
};

const welcome = {
  ...{ id: 'welcome', name: 'Welcome', category: 'transactional' },
  on: { kind: ['form'] },
  send: { channels: ['email', 'sms'], template: 'welcome' },
};
const later = { ...welcome, id: 'later', wait: '5d' };

it('leaves no identifier and no text of the customer in any byte of the state, the CRMs or the logs', async () => {
  const logged = listening();
  const hub = await openTestHub({ file: join(folder, 'state.sqlite'), triggers: [welcome, later] });
  const bucket = [...hub.cloud.functions.values()].find(({ environment }) => environment['BUCKET'])
    ?.environment['BUCKET'];
  const files = bucketOf({ ...hub.runtime, env: { ...hub.runtime.env, BUCKET: bucket } });
  const form = { kind: 'form', channel: 'form' } as const;
  const profile = { name: { full: 'Ada Lovelace' }, traits: { pet: 'xyzzy the cat' } };

  // One timeline: several identifiers, a long text and a file in the bucket, notifications sent and waiting.
  hub.sendInteraction({ key: 'F1', identifiers: [MAIL], ...form, text: 'xyzzy', profile });
  hub.sendInteraction({ key: 'S1', identifiers: [PHONE], text: `xyzzy ${'long '.repeat(30_000)}` });
  await files.put('attachments/hers/0', 'xyzzy in a file');
  hub.sendInteraction({
    key: 'M1',
    identifiers: [MAIL],
    channel: 'email',
    text: 'xyzzy',
    attachments: [{ name: 'xyzzy.txt', key: 'attachments/hers/0' }],
  });
  hub.sendInteraction({ key: 'G1', identifiers: ['email:grace@example.org'], ...form, text: 'plugh' });
  await hub.wait(MINUTE);
  await files.put('attachments/kept/0', 'somebody else');
  // Merged by hand, with a third half that has a customer of its own before; commands tell of all that is known.
  hub.sendInteraction({ key: 'S2', identifiers: [OTHER], text: 'xyzzy' });
  await hub.wait(MINUTE);
  const command = async (body: object) => {
    await hub.api('POST', '/commands', { by: 'ada', ...body });
    await hub.wait(MINUTE);
  };
  await command({ command: 'merge', reason: 'the same person', keep: MAIL, other: PHONE });
  await command({ command: 'merge', reason: 'the same person', keep: MAIL, other: OTHER });
  await command({ command: 'consent', customer: MAIL, channel: 'email', status: 'granted' });
  await command({ command: 'split', identifier: OTHER });
  await command({ command: 'merge', reason: 'the same person', keep: MAIL, other: OTHER });
  // A question of the review list, about her and another.
  hub.sendInteraction({ key: 'U1', identifiers: ['user-id:ada-1', MAIL], text: 'xyzzy' });
  hub.sendInteraction({
    key: 'U2',
    identifiers: ['user-id:grace', 'email:grace@example.org'],
    text: 'plugh',
  });
  await hub.wait(MINUTE);
  // Guests: one who goes with her, one who names Grace too.
  const claimed = (key: string, identifiers: string[]) =>
    hub.sendInteraction({ key, identifiers, claimed: identifiers, ...form, text: 'xyzzy' });
  claimed('C1', [MAIL, 'phone:+14155550199']);
  hub.sendInteraction({
    ...{ key: 'C2', identifiers: ['email:grace@example.org', MAIL], ...form, text: `plugh for ${MAIL}` },
    claimed: ['email:grace@example.org', MAIL],
  });
  await hub.wait(MINUTE);
  // An export that lies in the bucket.
  const { id } = (await hub.api('GET', `/customers?identifier=${MAIL}`)).body;
  const exported = (await hub.api('POST', '/jobs', { kind: 'export', parameters: { profileId: id } })).body;
  await hub.wait(MINUTE);
  expect((await hub.api('GET', `/jobs/${exported.id}`)).body.state).toBe('succeeded');
  expect(String(await files.get(`jobs/${exported.id}/result`))).toContain('ada.lovelace@example.com');
  // Failures: a delivery that nobody can read, its body in base64; a queue message of nobody's format.
  const request = {
    ...{ method: 'POST', url: 'https://hub.example.com/webhooks/meta', headers: {} },
    body: Buffer.from('{"from":"\\u002b14155550100","text":"xyzzy"').toString('base64'),
  };
  const now = new Date(hub.clock.now()).toISOString();
  hub.send(DELIVERIES, { type: 'delivery', id: 'd1', provider: 'meta', receivedAt: now, request });
  hub.send(DELIVERIES, { nobody: 'reads this', to: 'ada.lovelace@example.com', text: 'xyzzy' });
  const others = {
    ...request,
    body: Buffer.from('{"from":"grace@example.org","text":"plugh').toString('base64'),
  };
  hub.send(DELIVERIES, { type: 'delivery', id: 'd2', provider: 'meta', receivedAt: now, request: others });
  // Raw bodies that were too large for the queue.
  await files.put('deliveries/raw', `From=%2B14155550100&Body=xyzzy+${'x'.repeat(300_000)}`);
  await files.put('deliveries/other', 'From=grace%40example.org&Body=plugh');
  await hub.wait(2 * 60 * MINUTE);
  expect((await hub.api('GET', '/failures')).body.items).toHaveLength(3);
  expect(hub.crms.salesforce.records('Task').length).toBeGreaterThan(5);

  const { state, receipt } = await eraseCustomer(hub, MAIL);
  expect(state).toBe('succeeded');
  // A late redelivery of everything, and the ends of waits.
  hub.sendInteraction({ key: 'F1', identifiers: [MAIL], ...form, text: 'xyzzy', profile });
  hub.sendInteraction({
    key: 'M1',
    identifiers: [MAIL],
    channel: 'email',
    text: 'xyzzy',
    attachments: [{ name: 'xyzzy.txt', key: 'attachments/hers/0' }],
  });
  hub.sendInteraction({ key: 'S1', identifiers: [PHONE], text: `xyzzy ${'long '.repeat(30_000)}` });
  await hub.wait(10 * 24 * 60 * MINUTE);
  expect((await hub.api('GET', '/failures')).body.items).toHaveLength(1);
  expect(JSON.stringify(receipt)).not.toMatch(/ada\.|4155550|Lovelace|xyzzy/u);
  // The CRMs keep what was deleted in their recycle bins; the receipt says so, and an administrator empties them.
  const leftBy = (crm: string) =>
    SignedReceipt.parse(receipt)
      .receipt.systems.find(({ system }) => system === crm)
      ?.left.join() ?? '';
  for (const crm of ['salesforce', 'hubspot']) expect(leftBy(crm)).toContain('recycle bin');
  hub.cloud.db.exec(`DELETE FROM sandbox_records
    WHERE object LIKE 'archived:%' OR json_extract(fields, '$.IsDeleted') = 1`);
  // As the hub does every few seconds.
  hub.cloud.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  await hub.stop();

  const names = readdirSync(folder).filter((name) => !name.includes('mailboxes'));
  expect(names).toContain('state.sqlite');
  const bytes = names.map((name) => readFileSync(join(folder, name)));
  const found = (text: string): boolean =>
    [text, Buffer.from(text).toString('base64').slice(0, -4)].some((one) =>
      bytes.some((all) => all.includes(one)),
    );
  expect(ofGrace.filter((text) => !found(text))).toEqual([]);
  expect(ofAda.filter(found)).toEqual([]);
  expect(ofAda.filter((text) => logged.some((line) => line.includes(text)))).toEqual([]);
});
