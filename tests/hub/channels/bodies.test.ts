import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

let built: ReturnType<typeof synthesiseHub>;
let hub: TestHub;
beforeAll(() => {
  built = synthesiseHub({ channels: { twilio: {}, sendgrid: {}, meta: {}, intercom: {}, salesforce: {} } });
});
afterAll(() => built.remove());
beforeEach(async () => {
  hub = await openTestHub({ assembly: built });
});
afterEach(() => hub.stop());

const call = async (method: string, target: string, body = ''): Promise<number> => {
  const { status } = await hub.cloud.front({ method, target, headers: {}, body: Buffer.from(body) });
  await hub.settle();
  return status;
};
/** A delivery as it stands in the queue once it was verified. */
const deliver = async (provider: string, headers: Readonly<Record<string, string>>, body: Uint8Array) => {
  hub.send(/^DeliveriesQueue/, {
    ...{ type: 'delivery', id: 'd', provider, receivedAt: new Date(NOW).toISOString() },
    request: { method: 'POST', url: '', headers, body: Buffer.from(body).toString('base64') },
  });
  await hub.settle();
};
const texts = async () => (await hub.timeline()).map(({ text }) => Object(text).S);

describe('HEAD', () => {
  it('is answered for providers that check the address with it, and for no others', async () => {
    await hub.connect('intercom', { clientSecret: 's' });
    expect(await call('HEAD', '/webhooks/intercom')).toBe(200);
    expect(await call('HEAD', '/webhooks/twilio')).toBe(405);
    expect(await call('HEAD', '/webhooks/nobody')).toBe(404);
    expect([await hub.timeline(), await hub.failures()]).toEqual([[], []]);
  });
});

describe('gzip', () => {
  const message = (body: string) => JSON.stringify({ type: 'text', id: 'm1', sourceId: 'urn:mbid:1', body });
  const headers = { 'content-encoding': 'gzip' };

  it('is decompressed', async () => {
    await deliver('apple', headers, gzipSync(message('Grüße')));
    expect(await texts()).toEqual(['Grüße']);
  });

  it.each([
    ['that holds gigabytes', () => gzipSync(message('x'.repeat(60_000_000)))],
    ['that is cut off', () => gzipSync(message('cut')).subarray(0, 30)],
    ['that is none', () => Buffer.from(message('plain'))],
  ])('%s is stored as an unreadable delivery', async (_, body) => {
    await deliver('apple', headers, body());
    expect([await hub.timeline(), (await hub.failures()).map(({ code }: { code: string }) => code)]).toEqual([
      [],
      ['unreadable-delivery'],
    ]);
  });
});

describe('multipart', () => {
  const part = (disposition: string, bytes: Uint8Array, type?: string): Buffer =>
    Buffer.concat([
      Buffer.from(`--b\r\nContent-Disposition: form-data; ${disposition}\r\n`),
      Buffer.from(type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`),
      bytes,
      Buffer.from('\r\n'),
    ]);
  const form = (...parts: Buffer[]) => Buffer.concat([...parts, Buffer.from('--b--\r\n')]);
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const latin = (text: string) => Buffer.from(text, 'latin1');
  const from = part('name="from"', Buffer.from('Zoë <zoe@example.com>'));

  it('is decoded with the charset that the vendor names for each field', async () => {
    const charsets = { from: 'UTF-8', subject: 'iso-8859-1', text: 'windows-1251' };
    const body = form(
      from,
      part('name="subject"', latin('Größe')),
      part('name="text"', Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2])),
      part('name="charsets"', Buffer.from(JSON.stringify(charsets))),
    );
    await deliver('sendgrid', headers, body);
    expect(await texts()).toEqual(['Привет']);
    expect(await hub.timeline()).toMatchObject([
      { subject: { S: 'Größe' }, profile: { M: { name: { M: { full: { S: 'Zoë' } } } } } },
    ]);
  });

  it('is decoded with the charset of each part where the vendor names none', async () => {
    const text = part('name="body-plain"', latin('Größe'), 'text/plain; charset="ISO-8859-1"');
    const file = part("name=attachment-1; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt", latin('x'), 'text/plain');
    await deliver('mailgun', headers, form(from, text, file));
    expect(await texts()).toEqual(['Größe']);
    expect(JSON.stringify(await hub.timeline())).toContain('"name":{"S":"Größe.txt"}');
  });
});

describe('XML', () => {
  const notification = (doctype: string) =>
    `<?xml version="1.0"?>${doctype}<Envelope><Body><notifications><OrganizationId>00D000000000001</OrganizationId>` +
    `<Notification><Id>04l1</Id><sObject type="sf:Contact"><sf:Id>0031</sf:Id><sf:Email>ada@example.com</sf:Email></sObject>` +
    '</Notification></notifications></Body></Envelope>';

  it('with a document type is refused before it is queued, and without one it is accepted', async () => {
    await hub.connect('salesforce', { addressKey: 'long-word' });
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>';
    for (const doctype of [bomb, '<!doctype x SYSTEM "file:///etc/passwd">', '<!\nDOCTYPE x>'])
      expect(await call('POST', '/webhooks/salesforce?key=long-word', notification(doctype))).toBe(400);
    expect([await hub.timeline(), await hub.failures()]).toEqual([[], []]);
    expect(await call('POST', '/webhooks/salesforce?key=long-word', notification(''))).toBe(200);
    expect(await hub.failures()).toEqual([]);
  });
});

describe('what the table has no room for', () => {
  it('harms nothing beside it: a long identifier, a long message id, a number out of range', async () => {
    for (let at = 0; at < 12; at++)
      hub.sendInteraction({
        key: `m${at}`,
        text: String(at),
        ...(at === 5 && { identifiers: ['phone:+14155550100', `user-id:${'ä'.repeat(1350)}`] }),
        ...(at === 6 && { externalId: 'x'.repeat(5000), refersTo: 'y'.repeat(5000) }),
        ...(at === 7 && { properties: { total: 1e300, '': { '': 1 } } }),
      });
    await hub.settle();
    expect(await hub.failures()).toEqual([]);
    expect((await texts()).toSorted()).toEqual(Array.from({ length: 12 }, (_, at) => String(at)).toSorted());
  });
});
