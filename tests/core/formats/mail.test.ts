import { describe, expect, it } from 'vitest';
import { charsetOf, decodeText } from '../../../core/formats/charset.ts';
import { readMail } from '../../../core/formats/mail/mail.ts';
import { parseMailboxes } from '../../../core/formats/mail/mailboxes.ts';
import { readTime } from '../../../core/formats/payload.ts';

describe('a date', () => {
  it.each([
    ['Tue, 3 Mar 2026 04:00:00 EST', '2026-03-03T09:00:00.000Z'],
    ['3 Mar 26 4:00 PDT', '2026-03-03T11:00:00.000Z'],
    ['Tuesday, 03-Mar-26 04:00:00 GMT', '2026-03-03T04:00:00.000Z'],
    ['Tue Mar  3 04:00:00 2026', '2026-03-03T04:00:00.000Z'],
    ['Tue Mar 3 04:00:00 CET 2026', '2026-03-03T03:00:00.000Z'],
    ['Tue Mar 03 2026 04:00:00 GMT-0500 (EST)', '2026-03-03T09:00:00.000Z'],
    ['2026-03-03 04:00:00 EST', '2026-03-03T09:00:00.000Z'],
    ['Tue, 3 Mar 2026 04:00:00 +0530', '2026-03-02T22:30:00.000Z'],
    ['Tue, 3 Mar 2026 04:00:00 XYZ', '2026-03-03T04:00:00.000Z'],
    ['Tue, 31 Feb 2026 04:00:00 EST', undefined],
    ['2026-03-03 04:00:00 XYZ', undefined],
  ])('%s is %s', (text, instant) => {
    expect(readTime(text)).toBe(instant);
  });
});

describe('a charset', () => {
  it.each([
    ['"Latin-1"', 'windows-1252'],
    ["'UTF-8'", 'utf-8'],
    ['cp-1252', 'windows-1252'],
    ['ISO_8859-15', 'iso-8859-15'],
    ['x-ms-cp932', 'shift_jis'],
    ['win1251', 'windows-1251'],
    ['csISOLatin2', 'iso-8859-2'],
    ['unknown-8bit', undefined],
  ])('called %s is %s', (label, charset) => {
    expect(charsetOf(label)).toBe(charset);
  });

  it('is windows-1252 where the text is no UTF-8, save a text that was cut', () => {
    expect(decodeText(Buffer.from('“café', 'latin1'), 'utf-8')).not.toContain('\ufffd');
    expect(decodeText(Uint8Array.of(0x93, 0x63, 0xe9, 0x94))).toBe('“cé”');
    expect(decodeText(Buffer.from('café “').subarray(0, -1))).toBe('café ');
  });
});

describe('a list of mailboxes', () => {
  it.each([
    ['Doe, Adà <Ada@Example.com>', [{ address: 'ada@example.com', name: 'Doe, Adà' }]],
    ['"Doe, \\"A\\"" <a@b.com>, c@d.com', [{ address: 'a@b.com', name: 'Doe, "A"' }, { address: 'c@d.com' }]],
    ['Team: a@b.com, Bob <c@d.com>;', [{ address: 'a@b.com' }, { address: 'c@d.com', name: 'Bob' }]],
    ['undisclosed-recipients:;', []],
    ['a@b.com (Ada (of London) Doe)', [{ address: 'a@b.com', name: 'Ada (of London) Doe' }]],
    ['Ada (at work) <a@b.com>', [{ address: 'a@b.com', name: 'Ada' }]],
    ['=?utf-8?Q?Ad=C3=A0?= =?utf-8?Q?_Doe?= <a@b.com>', [{ address: 'a@b.com', name: 'Adà Doe' }]],
    ['<@c.example:a@b.com>', [{ address: 'a@b.com' }]],
    ['O"Brien <a@b.com>', [{ address: 'a@b.com', name: 'OBrien' }]],
    ['Ada <a@münchen.example>', [{ address: 'a@xn--mnchen-3ya.example', name: 'Ada' }]],
    ['"ada@victim.example" <x@evil.example>', [{ address: 'x@evil.example', name: 'ada@victim.example' }]],
    ['nobody', []],
    ['a@b.com, Ada <c@d.co', [{ address: 'a@b.com' }]],
  ])('%s', (text, mailboxes) => {
    expect(parseMailboxes(text)).toEqual(mailboxes);
  });
});

describe('a mail', () => {
  const read = (text: string) => readMail(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'));

  it('in bytes of windows-1252 that it does not name is read so, its headers too', async () => {
    const mail = await read('From: Ad\xe0 <a@b.com>\nSubject: caf\xe9\n\n\x93caf\xe9\x94');
    expect(mail).toMatchObject({ from: { name: 'Adà' }, subject: 'café' });
    expect(mail.text?.trim()).toBe('“café”');
  });

  it.each([
    ['"Latin-1"', 'caf\xe9'],
    ["'utf-8'", 'caf\xc3\xa9'],
    ['utf-8', 'caf\xe9'],
    ['cp-1255; format=flowed', '\xe4\xec'],
  ])('that names its charset %s', async (label, body) => {
    const mail = await read(
      `From: a@b.com\nContent-Type: text/plain; charset=${label}\nContent-Transfer-Encoding: 8bit\n\n${body}`,
    );
    expect(mail.text?.trim()).toBe(label.startsWith('cp') ? 'הל' : 'café');
  });
});
