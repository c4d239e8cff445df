import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { isExpired, readLink, signingKeys, signLink } from '../../../core/consent/signed-link.ts';
import { composeMail } from '../../../core/formats/mail/mime.ts';
import { templateFaults } from '../../../core/triggers/message/faults.ts';
import { type Rendered, renderTemplate, variablesFor } from '../../../core/triggers/template.ts';
import { stubTemplate, type TemplateFiles, templateChannels } from '../../../core/triggers/template-files.ts';
import { NOON, past, person, trigger } from '../../support/triggers/situations.ts';

const ada = { ...person(), name: { full: 'Ada <b>Lovelace</b>' }, traits: { plan: 'gold' } };
const links = { unsubscribe: 'https://hub.example/unsubscribe/t' };
const cause = past(NOON, { text: 'a "b" & <c>', properties: { total: 60, lines: 'one\r\nBcc: x@y.z' } });
const fill = (
  files: TemplateFiles,
  channel: 'email' | 'sms' | 'push' | 'whatsapp',
  approved = false,
): Rendered => renderTemplate('t', files, channel, variablesFor(trigger(), ada, cause, links), approved);
const sms = (source: string): string => fill({ 'sms.liquid': source }, 'sms').text;

describe('a template', () => {
  it('knows the customer, the interaction, the trigger and the links', () => {
    expect(
      sms('{{ customer.name.last }} {{ customer.traits.plan }} {{ interaction.properties.total }}'),
    ).toBe('<b>Lovelace< b> gold 60');
    expect(sms('{{ trigger.id }} {{ trigger.category }} {{ links.unsubscribe }}')).toBe(
      'hello service https://hub.example/unsubscribe/t',
    );
  });

  it('does without a variable by its default or an if alone', () => {
    expect(sms('{{ customer.stage | default: "new" }}{% if customer.stage %}!{% endif %}')).toBe('new');
    expect(() => sms('{{ customer.stage }}')).toThrow(
      /cannot be rendered for sms: undefined variable: customer.stage/u,
    );
    expect(() => sms('{{ customer.traits.age }}')).toThrow(/customer\.traits\.age/u);
    expect(() => sms('{{ customer.id | shout }}')).toThrow(/undefined filter/u);
  });

  it('shows no link, address or encoded word in a name that somebody has chosen', () => {
    const named = (full: string) =>
      renderTemplate(
        'hello',
        { 'sms.liquid': '{{ customer.name.full }}' },
        'sms',
        variablesFor(trigger(), { ...person(), name: { full } }, cause, {}),
        false,
      ).text;
    expect(named('Win at https://evil.example/now')).toBe('Win at https evil example now');
    expect(named('eve@evil.example')).toBe('eve evil example');
    expect(named('=?utf-8?B?RXZl?=')).toBe('utf-8?B?RXZl');
    expect(named('Dr. Anne-Marie O’Neil Jr.')).toBe('Dr. Anne-Marie O’Neil Jr.');
  });

  it('escapes values for HTML, in the body and the preheader, and not elsewhere', () => {
    const file =
      '---\r\nsubject: "{{ interaction.text }}"\r\npreheader: "{{ interaction.text }}"\r\n---\r\n<p>{{ interaction.text }}</p>';
    const { html = '', subject, text } = fill({ 'email.liquid': file }, 'email');
    expect(html).toContain('<p>a &#34;b&#34; &amp; &lt;c&gt;</p>');
    expect(html).toContain('display:none">a &#34;b&#34;');
    expect(subject).toBe('a "b" & <c>');
    expect(text).toBe('a "b" & <c>');
    expect(sms('{{ interaction.text }}')).toBe('a "b" & <c>');
  });

  it('gives an e-mail a text alternative with its links', () => {
    const file =
      '<style>p { color: red }</style><h1>Hi</h1><p>Go <a href="https://x.y/?a=1&amp;b=2">there</a><br>now</p>';
    expect(fill({ 'email.liquid': file }, 'email').text).toBe('Hi\nGo there (https://x.y/?a=1&b=2)\nnow');
  });

  it('is trimmed, with its subject, and needs no front matter', () => {
    const push = fill({ 'push.liquid': '---\ntitle: " {{ trigger.id }} "\n---\n Hi \n' }, 'push');
    expect(push).toEqual({ subject: 'hello', text: 'Hi' });
    expect(fill({ 'push.liquid': 'Hi' }, 'push')).toEqual({ text: 'Hi' });
    const mail = fill({ 'email.liquid': '---\nfrom: a@b.example\n---\n<p>Hi</p>' }, 'email');
    expect(mail).toEqual({ from: 'a@b.example', html: '<p>Hi</p>', text: 'Hi' });
    expect(fill({ 'sms.liquid': 'a\n---\nb\n---\nc' }, 'sms').text).toBe('a\n---\nb\n---\nc');
  });

  it('shows the name of a trigger, else its id, and the attachments and properties that there are', () => {
    const variables = (fields: Record<string, unknown>) =>
      variablesFor(trigger(fields), person(), past(NOON), {});
    expect(variables({ name: 'Hello there' })).toMatchObject({ trigger: { name: 'Hello there' } });
    expect(variables({})).toMatchObject({
      trigger: { id: 'hello', name: 'hello', category: 'service' },
      interaction: { kind: 'message', channel: 'email', attachments: [], properties: {} },
    });
    const attachments = [{ name: 'a.pdf' }];
    const withFile = variablesFor(trigger(), person(), past(NOON, { attachments }), {});
    expect(withFile).toMatchObject({ interaction: { attachments } });
  });

  it('without a file for the channel, or with faults in its front matter, fails for good', () => {
    const failing = (use: () => unknown): unknown => {
      try {
        return use();
      } catch (error) {
        return error;
      }
    };
    const failure = { code: 'template-failure', retry: 'never' };
    expect(failing(() => fill({}, 'sms'))).toMatchObject({
      ...failure,
      message: expect.stringContaining('sms.liquid'),
    });
    expect(failing(() => fill({ 'sms.liquid': '---\nsubjekt: x\n---\ny' }, 'sms'))).toMatchObject(failure);
    expect(failing(() => fill({}, 'whatsapp', true))).toMatchObject({
      ...failure,
      message: expect.stringContaining('whatsapp.yaml'),
    });
  });

  it('refuses a line break in a header', () => {
    const file = (front: string): TemplateFiles => ({
      'email.liquid': `---\n${front}\n---\nx`,
      'push.liquid': `---\n${front}\n---\nx`,
    });
    const broken = '"{{ interaction.properties.lines }}"';
    expect(() => fill(file(`subject: ${broken}`), 'email')).toThrow(/line break into a header/u);
    expect(() => fill(file(`from: ${broken}`), 'email')).toThrow(/line break into a header/u);
    expect(() => fill(file(`title: ${broken}`), 'push')).toThrow(/line break into a header/u);
  });

  it('fills an approved WhatsApp template’s parameters, without the line breaks that WhatsApp refuses', () => {
    const files = {
      'whatsapp.yaml':
        'name: cart\nlanguage: it\nparameters: ["{{ customer.id }}", "{{ interaction.properties.lines }}"]',
    };
    expect(fill(files, 'whatsapp', true).template).toEqual({
      name: 'cart',
      language: 'it',
      parameters: ['ada', 'one Bcc: x@y.z'],
    });
    const padded = { 'whatsapp.yaml': 'name: cart\nparameters: [" {{ customer.id }} ", "b"]' };
    expect(fill(padded, 'whatsapp', true)).toMatchObject({
      text: 'ada b',
      template: { language: 'en', parameters: ['ada', 'b'] },
    });
  });

  it('serves the media that it has files for; sms.liquid is the text of chat channels too', () => {
    expect(templateChannels({ 'email.liquid': '' }).channels).toEqual(['email']);
    expect(templateChannels({ 'sms.liquid': '' }).channels).toEqual(
      expect.arrayContaining(['sms', 'whatsapp', 'telegram']),
    );
    expect(templateChannels({ 'whatsapp.yaml': '' })).toEqual({ channels: [], approvedWhatsApp: true });
    expect(templateChannels({ 'push.liquid': '' })).toEqual({ channels: ['push'], approvedWhatsApp: false });
    expect(fill(stubTemplate('x'), 'email')).toMatchObject({ subject: 'x', text: 'x' });
    expect(fill(stubTemplate('x'), 'push')).toMatchObject({ subject: 'x', text: 'x' });
  });
});

describe('the faults of a template', () => {
  const faults = (source: string): string[] => templateFaults('t', { 'email.liquid': source });
  const where = 'mappings/templates/t/email.liquid';

  it('are variables that no message will have, in the body and the front matter', () => {
    expect(faults('{{ customer.name.frist }} {{ coupon }}')).toEqual([
      `${where}:1: there is no variable customer.name.frist; did you mean customer.name.first?`,
      `${where}:1: there is no variable coupon`,
    ]);
    expect(faults('---\nsubject: "{{ customer.sentiment }}"\n---\nx')).toEqual([
      `${where}:2: there is no variable customer.sentiment`,
    ]);
    expect(
      faults('{{ customer.traits.any.thing }} {% assign x = interaction.properties.total %}{{ x }}'),
    ).toEqual([]);
  });

  it('are Liquid and front matter that cannot be read', () => {
    expect(faults('{% if %}')).toHaveLength(1);
    expect(faults('{{ customer.id | shout }}')).toEqual([expect.stringContaining('undefined filter')]);
    expect(faults('---\nsubjekt: x\n---\ny')).toEqual([expect.stringContaining('subjekt')]);
    expect(faults('---\nfrom: a@b.example, c@d.example\n---\ny')).toEqual([
      expect.stringContaining('one mailbox'),
    ]);
    expect(faults('---\nfrom: "{{ trigger.name }} <a@b.example>"\n---\ny')).toEqual([]);
    expect(templateFaults('t', { 'whatsapp.yaml': 'parameters: []' })).toEqual([
      expect.stringContaining('name'),
    ]);
  });
});

describe('a mail', () => {
  it('comes out of a MIME reader as it went in', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 120 });
    const line = text.map((one) => one.replace(/[\p{C}\p{Z}]+/gu, ' ').trim());
    await fc.assert(
      fc.asyncProperty(
        line,
        line.map((one) => one.replace(/[^\p{L}\p{N} ]/gu, '')),
        text,
        async (subject, name, body) => {
          const mail = composeMail({
            ...{ from: `${name} <shop@acme.example>`, to: 'ada@example.com', subject, text: body },
            html: `<p>${body}</p>`,
          });
          for (const one of mail.split('\r\n')) expect(Buffer.byteLength(one)).toBeLessThan(998);
          const read = await PostalMime.parse(mail);
          expect(read.subject ?? '').toBe(subject);
          expect(read.from).toEqual({ address: 'shop@acme.example', name: name.trim() });
          expect((read.text ?? '').replace(/\n$/u, '')).toBe(
            body.replaceAll('\r\n', '\n').replace(/\n$/u, ''),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    ['Acme, Inc. <hello@acme.example>', 'Acme, Inc.', 'hello@acme.example'],
    ['"Acme \\"Best\\" Inc." <hello@acme.example>', 'Acme "Best" Inc.', 'hello@acme.example'],
    ['Doe, Adà <hello@exämple.example>', 'Doe, Adà', 'hello@xn--exmple-cua.example'],
    ['=?utf-8?B?RXZl?= <hello@acme.example>', '=?utf-8?B?RXZl?=', 'hello@acme.example'],
    ['hello@acme.example', '', 'hello@acme.example'],
  ])('from %s arrives as one mailbox', async (from, name, address) => {
    const mail = composeMail({ from, to: 'ada@example.com', text: '' });
    expect((await PostalMime.parse(mail)).from).toEqual({ name, address });
    expect(mail).toMatch(/^[\x20-\x7e\r\n]*$/u);
  });

  it.each(['Acme', 'a@acme.example, b@acme.example', 'a@b.example <c@d.example> e', 'adà@acme.example'])(
    'from %s is refused',
    (from) => {
      expect(() => composeMail({ from, to: 'ada@example.com', text: '' })).toThrow(/one mailbox/u);
    },
  );

  it('asks programs not to answer', () => {
    const mail = composeMail({ from: 'a@b.example', to: 'ada@example.com', text: '' });
    expect(mail).toMatch(/^Auto-Submitted: auto-generated\r$/mu);
    expect(mail).toMatch(/^X-Auto-Response-Suppress: All\r$/mu);
  });

  it('with a subject that looks encoded is read as it was written', async () => {
    const subject = 'Hi =?utf-8?B?RXZl?=';
    const mail = composeMail({ from: 'a@b.example', to: 'ada@example.com', subject, text: '' });
    expect((await PostalMime.parse(mail)).subject).toBe(subject);
  });

  it('refuses a header that would begin another', () => {
    const mail = { from: 'a@b.c', to: 'd@e.f', text: '' };
    for (const broken of [
      { subject: 'x\r\nBcc: y' },
      { to: 'a@b.c\nBcc: y' },
      { unsubscribe: 'https://x\r\n y' },
    ])
      expect(() => composeMail({ ...mail, ...broken })).toThrow(/line break/u);
  });
});

describe('a link of an address', () => {
  const keys = ['0123456789abcdef-new', '0123456789abcdef-old'];
  const link = { address: 'email:ada@example.com', channel: 'email', issuedAt: NOON / 1000 } as const;
  const purposes = ['unsubscribe', 'preferences', 'confirm'] as const;

  it('is read back, also when it was signed with an older key', () => {
    for (const purpose of purposes)
      for (const signing of [keys, keys.slice(1)])
        expect(readLink(purpose, signLink(purpose, link, signing), keys)).toEqual(link);
  });

  it('is nothing when a character differs, the key is another, or there is none', () => {
    const token = signLink('unsubscribe', link, keys);
    for (let position = 0; position < token.length - 1; position++) {
      const other = token[position] === 'x' ? 'y' : 'x';
      const forged = token.slice(0, position) + other + token.slice(position + 1);
      expect(readLink('unsubscribe', forged, keys)).toBeUndefined();
    }
    expect(readLink('unsubscribe', token, ['0123456789abcdef-another'])).toBeUndefined();
    expect(readLink('unsubscribe', token, [])).toBeUndefined();
    expect(readLink('unsubscribe', '', keys)).toBeUndefined();
    expect(readLink('unsubscribe', `${token}.x`, keys)).toBeUndefined();
  });

  it('is good for its own purpose only', () => {
    for (const signed of purposes)
      for (const read of purposes)
        expect(readLink(read, signLink(signed, link, keys), keys)).toEqual(
          signed === read ? link : undefined,
        );
  });

  it('expires after 30 days to the choices, after 7 to confirm, and never to unsubscribe', () => {
    const DAY_MS = 86_400_000;
    for (const [purpose, days] of [
      ['preferences', 30],
      ['confirm', 7],
    ] as const) {
      expect(isExpired(purpose, link, NOON + days * DAY_MS - 1)).toBe(false);
      expect(isExpired(purpose, link, NOON + days * DAY_MS)).toBe(true);
    }
    expect(isExpired('unsubscribe', link, NOON + 36_500 * DAY_MS)).toBe(false);
  });

  it('needs a key that is no empty word', () => {
    expect(signingKeys({ keys: keys[0] })).toEqual([keys[0]]);
    for (const wrong of [{}, { keys: '' }, { keys: [] }, { keys: ['short'] }])
      expect(() => signingKeys(wrong)).toThrow();
  });
});
