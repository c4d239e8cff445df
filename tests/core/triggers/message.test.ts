import { describe, expect, it } from 'vitest';
import { readLink, signLink } from '../../../core/consent/signed-link.ts';
import {
  isClick,
  readClick,
  signClick,
  withTrackedLinks,
} from '../../../core/triggers/message/click-link.ts';
import { templateFaults, templateRemarks } from '../../../core/triggers/message/faults.ts';
import { barePerson, exampleLinks, inventedVariables } from '../../../core/triggers/message/invented.ts';
import { layoutFiles, usedLayouts } from '../../../core/triggers/message/layout.ts';
import { previewTemplate } from '../../../core/triggers/message/preview.ts';
import { smsParts } from '../../../core/triggers/message/sms-parts.ts';
import { namedLayouts } from '../../../core/triggers/message/source.ts';
import { renderTemplate, type TemplateVariables } from '../../../core/triggers/template.ts';
import {
  fileFor,
  type Languages,
  mediumOf,
  type TemplateFiles,
  templateChannels,
} from '../../../core/triggers/template-files.ts';

const email = (files: TemplateFiles, more: Partial<TemplateVariables> = {}, languages: Languages = {}) =>
  renderTemplate('t', files, 'email', { ...inventedVariables(), ...more }, false, languages);
const marketing = { trigger: { id: 'offer', name: 'Offer', category: 'marketing' } } as const;
const { unsubscribe } = exampleLinks();

describe('the language of a template', () => {
  const files = {
    'email.it.liquid': 'it',
    'email.pt-BR.liquid': 'pt-BR',
    'email.de.liquid': 'de',
    'email.liquid': 'plain',
    'sms.it.liquid': 'sms it',
    'whatsapp.pt-BR.yaml': 'name: cart',
    'whatsapp.yaml': 'name: cart\nlanguage: en_US',
  };

  it.each([
    ['it', undefined, 'email.it.liquid', "the customer's language"],
    ['it-CH', undefined, 'email.it.liquid', "the customer's language"],
    ['IT_ch', 'de', 'email.it.liquid', "the customer's language"],
    ['pt-br', 'de', 'email.pt-BR.liquid', "the customer's language"],
    ['pt', undefined, 'email.liquid', 'without a language'],
    ['fr', 'de-AT', 'email.de.liquid', "the hub's language"],
    [undefined, 'de', 'email.de.liquid', "the hub's language"],
    ['fr', 'en', 'email.liquid', 'without a language'],
  ])('of a customer of %s in a hub of %s is that of %s', (customer, hub, name, because) => {
    expect(fileFor(files, 'email', { customer, hub })).toMatchObject({ name, because });
  });

  it('counts for the channels: a medium without a file for the customer is none', () => {
    expect(templateChannels(files, { customer: 'it' }).channels).toContain('sms');
    expect(templateChannels(files, { customer: 'fr', hub: 'en' }).channels).toEqual(['email']);
    expect(mediumOf('telegram')).toBe('sms');
    expect(mediumOf('whatsapp', true)).toBe('whatsapp');
  });

  it('is that of the approved WhatsApp template, where its file names none', () => {
    const approved = (customer: string) =>
      renderTemplate('t', files, 'whatsapp', inventedVariables(), true, { customer }).template;
    expect(approved('pt-BR')).toEqual({ name: 'cart', language: 'pt_BR', parameters: [] });
    expect(approved('fr')).toEqual({ name: 'cart', language: 'en_US', parameters: [] });
  });
});

describe('a layout', () => {
  const layouts = layoutFiles({
    'default.liquid': '<html><body class="a">Top {{ content }} {{ trigger.id }}</body></html>',
    'default.it.liquid': '<html><body>Sopra {{ content }}</body></html>',
    'plain.liquid': '{{ content }}!',
    'footer.liquid': '<p><a href="{{ links.unsubscribe }}">Stop</a></p>',
  });
  const withLayouts = (files: TemplateFiles): TemplateFiles => ({
    ...files,
    ...usedLayouts(layouts, namedLayouts(files)),
  });

  it('shows the body unescaped, and escapes every other value', () => {
    const files = withLayouts({ 'email.liquid': '<p>{{ interaction.text }}</p>' });
    const interaction = { ...inventedVariables().interaction, text: '<b>{{ trigger.id }}</b>' };
    expect(email(files, { interaction }).html).toBe(
      '<html><body class="a">Top <p>&lt;b&gt;{{ trigger.id }}&lt;/b&gt;</p> example</body></html>',
    );
  });

  it('is the named one, the default, or none; in the language of the e-mail', () => {
    expect(email(withLayouts({ 'email.liquid': '---\nlayout: plain\n---\nHi' })).html).toBe('Hi!');
    expect(email(withLayouts({ 'email.liquid': '---\nlayout: none\n---\nHi' })).html).toBe('Hi');
    expect(email(withLayouts({ 'email.it.liquid': 'Ciao' }), {}, { customer: 'it' }).text).toBe('Sopra Ciao');
  });

  it('puts the preheader where the body begins', () => {
    const files = withLayouts({ 'email.liquid': '---\npreheader: Look\n---\nHi' });
    expect(email(files).html).toContain('<body class="a"><div style="display:none">Look</div>');
    expect(email(files).text).toBe('Top Hi example');
  });

  it('travels with the templates that use it, and no other does', () => {
    expect(Object.keys(withLayouts({ 'email.liquid': 'Hi' })).sort()).toEqual([
      'email.liquid',
      'layouts/default.it.liquid',
      'layouts/default.liquid',
      'layouts/footer.liquid',
    ]);
    expect(Object.keys(withLayouts({ 'email.liquid': '---\nlayout: plain\n---\nHi' }))).toContain(
      'layouts/plain.liquid',
    );
  });

  it('cannot read a file, and neither can a template', () => {
    for (const tag of ['include', 'render', 'layout'])
      expect(templateFaults('t', { 'email.liquid': `{% ${tag} "layouts/default" %}` })).toEqual([
        expect.stringMatching(/^mappings\/templates\/t\/email\.liquid/u),
      ]);
  });
});

describe('a marketing e-mail', () => {
  const body = { 'email.liquid': '<p>Offer</p>' };

  it('without an unsubscribe link gets a footer with one, in the language of the e-mail', () => {
    expect(email(body, marketing).html).toContain(`<a href="${unsubscribe}">Unsubscribe</a>`);
    expect(email(body, marketing).text).toContain(unsubscribe);
    expect(email(body, marketing, { hub: 'it' }).html).toContain('Annulla l’iscrizione');
    const own = {
      ...body,
      ...layoutFiles({ 'footer.liquid': '<i><a href="{{ links.unsubscribe }}">Stop</a></i>' }),
    };
    expect(email(own, marketing).html).toBe(`<p>Offer</p><i><a href="${unsubscribe}">Stop</a></i>`);
    const forgetful = { ...body, ...layoutFiles({ 'footer.liquid': '<i>Acme, Rome</i>' }) };
    expect(email(forgetful, marketing).html).toContain('<i>Acme, Rome</i>');
    expect(email(forgetful, marketing).html).toContain(`<a href="${unsubscribe}">`);
  });

  it('with a link of its own, a message of another category and one to a team get none', () => {
    const own = '<a href="{{ links.unsubscribe }}">x</a>';
    expect(email({ 'email.liquid': own }, marketing).html).toBe(`<a href="${unsubscribe}">x</a>`);
    expect(email(body).html).toBe('<p>Offer</p>');
    expect(email(body, { ...marketing, links: {} }).html).toBe('<p>Offer</p>');
  });
});

describe('the check of a template', () => {
  const faults = (files: TemplateFiles): string[] => templateFaults('t', files);
  const source = (...lines: string[]): string => lines.join('\n');

  it('names the file, the line and the nearest variable', () => {
    const file = source(
      '---',
      'preheader: "x"',
      'subject: "{{ customer.first_name }}"',
      '---',
      '',
      '{{ customer.stgae }}',
    );
    expect(faults({ 'email.it.liquid': file })).toEqual([
      'mappings/templates/t/email.it.liquid:3: there is no variable customer.first_name; did you mean customer.name.first?',
      'mappings/templates/t/email.it.liquid:6: there is no variable customer.stgae; did you mean customer.stage?',
    ]);
    expect(faults({ 'sms.liquid': '{{ custmer.trait.plan }} {{ customer.nam.last }}' })).toEqual([
      expect.stringContaining('did you mean customer.traits.plan?'),
      expect.stringContaining('did you mean customer.name.last?'),
    ]);
    expect(faults({ 'sms.liquid': 'a\n{{ customer.id | shout }}' })).toEqual([
      'mappings/templates/t/sms.liquid:2: undefined filter: shout',
    ]);
    const yaml = source('name: cart', 'parameters:', '  - "{{ customer.id }}"', '  - "{{ coupon }}"');
    expect(faults({ 'whatsapp.yaml': yaml })).toEqual([
      'mappings/templates/t/whatsapp.yaml:4: there is no variable coupon',
    ]);
    expect(faults({ 'sms.liquid': 'Hi {{ customer.name }}' })).toEqual([
      expect.stringContaining('it shows a group of fields'),
    ]);
  });

  it('finds files that no message uses, layouts without content, and layouts that are missing', () => {
    expect(faults({ 'emial.liquid': 'x' })).toEqual([expect.stringContaining('did you mean email.liquid?')]);
    expect(faults({ 'whatsapp.liquid': 'x' })).toEqual([expect.stringContaining('whatsapp.yaml')]);
    expect(faults({ 'email.liquid': 'x', 'layouts/default.liquid': 'Hi' })).toEqual([
      expect.stringMatching(/^mappings\/templates\/layouts\/default\.liquid: a layout shows/u),
    ]);
    expect(faults({ 'email.liquid': '---\nlayout: gone\n---\nx' })).toEqual([
      expect.stringContaining('there is no mappings/templates/layouts/gone.liquid'),
    ]);
  });

  it('renders for an invented customer: loops, filters and fields of any shape are no faults', () => {
    const body =
      '{% for item in interaction.properties.items %}{{ item.name }} {{ item.price | times: 2 }}{% endfor %}' +
      '{{ interaction.properties.startsAt | date: "%d %B" }} {{ customer.traits.plan.name | upcase }}';
    expect(faults({ 'email.liquid': body, 'sms.liquid': body })).toEqual([]);
    for (const filters of ['map: "name" | join', 'where: "sku", "x" | size', 'sort: "price" | first', 'json'])
      expect(faults({ 'sms.liquid': `{{ interaction.properties.items | ${filters} }}` })).toEqual([]);
    expect(faults({ 'email.liquid': '{% for i in (1..100000000) %}x{% endfor %}' })).toHaveLength(1);
  });

  it('wants the whole address of an image', () => {
    expect(
      faults({ 'email.liquid': '<img alt="" src="logo.png"><img src=\'data:image/png;base64,xx\'>' }),
    ).toEqual([
      expect.stringContaining('the image logo.png has no whole address'),
      expect.stringContaining('data:image/png'),
    ]);
    expect(
      faults({
        'email.liquid': '<img src="https://acme.example/a.png"><img src="{{ customer.traits.photo }}">',
      }),
    ).toEqual([]);
  });

  it('remarks what a customer may lack, behind conditions and defaults not', () => {
    const body =
      'Hi {{ customer.name.first }} {{ customer.stage | default: "you" }}{% if customer.traits.plan %}{{ customer.traits.plan }}{% endif %}' +
      '{{ interaction.properties.order.total }}';
    expect(templateRemarks('t', { 'sms.liquid': body })).toEqual([
      expect.stringContaining('sms.liquid: customer.name.first has no default'),
      expect.stringContaining('sms.liquid: interaction.properties.order has no default'),
    ]);
  });
});

describe('the parts of an SMS', () => {
  it.each([
    ['', 'GSM-7', 0, 0],
    ['a'.repeat(160), 'GSM-7', 160, 1],
    ['a'.repeat(161), 'GSM-7', 161, 2],
    ['a'.repeat(306), 'GSM-7', 306, 2],
    ['a'.repeat(307), 'GSM-7', 307, 3],
    ['€'.repeat(80), 'GSM-7', 160, 1],
    // 76 characters of two septets fit in a part of 153: none is cut in two.
    ['€'.repeat(153), 'GSM-7', 306, 3],
    ['perché no: è già lì, città {[~]}', 'GSM-7', 37, 1],
    ['ç'.repeat(70), 'UCS-2', 70, 1],
    ['ç'.repeat(71), 'UCS-2', 71, 2],
    ['ç'.repeat(134), 'UCS-2', 134, 2],
    ['ç'.repeat(135), 'UCS-2', 135, 3],
    // 33 emoji of two units fit in a part of 67.
    ['😀'.repeat(67), 'UCS-2', 134, 3],
  ])('of %j are in %s, of %i units, %i', (text, encoding, units, parts) => {
    expect(smsParts(text)).toMatchObject({ encoding, units, parts });
  });

  it('name the characters that force UCS-2', () => {
    expect(smsParts('Don’t “wait” 😀😀').forcedBy).toEqual(['’', '“', '”', '😀']);
    expect(smsParts('Don\'t "wait"').forcedBy).toEqual([]);
  });
});

describe('a preview', () => {
  const files = {
    'email.liquid':
      '---\nsubject: "{{ customer.name.first }}"\npreheader: Look\n---\n<p>{{ interaction.properties.order }}</p>',
    'sms.it.liquid': 'Ciao {{ customer.name.first }}',
    'sms.liquid': 'Hi {{ customer.stage }}',
    'whatsapp.yaml': 'name: cart\nparameters: ["{{ customer.name.first }}"]',
  };

  it('shows each file as its recipient gets it, or why it cannot', () => {
    const nobody = inventedVariables({ person: barePerson(new Set(['customer.name.first'])) });
    expect(previewTemplate('t', files, () => nobody)).toMatchObject([
      { file: 'email.liquid', fault: expect.stringContaining('interaction.properties.order') },
      { file: 'sms.it.liquid', language: 'it', text: 'Ciao [first]', sms: { parts: 1 } },
      { file: 'sms.liquid', fault: expect.stringContaining('undefined variable: customer.stage') },
      { file: 'whatsapp.yaml', template: { name: 'cart', parameters: ['[first]'] } },
    ]);
    const [mail] = previewTemplate('t', files, () => inventedVariables());
    expect(mail).toMatchObject({ subject: 'Ada', preheader: 'Look', text: '[order]' });
  });

  it('of one language or medium shows what a customer of it gets', () => {
    const named = (asked: Parameters<typeof previewTemplate>[3]) =>
      previewTemplate('t', files, () => inventedVariables(), asked).map(({ file }) => file);
    expect(named({ languages: { customer: 'it' } })).toEqual([
      'email.liquid',
      'sms.it.liquid',
      'whatsapp.yaml',
    ]);
    expect(named({ languages: { customer: 'fr' }, medium: 'sms' })).toEqual(['sms.liquid']);
    expect(named({ medium: 'push' })).toEqual([]);
  });
});

describe('tracked links', () => {
  const keys = ['0123456789abcdef-new', '0123456789abcdef-old'];
  const click = {
    ...{ url: 'https://acme.example/cart?a=1&b=ü#top', profileId: 'ada', trigger: 'cart-left' },
    ...{ interaction: 'i1', provider: 'ses' },
  };
  const tracked = (html: string, kept: readonly string[] = []): string =>
    withTrackedLinks(html, new Set(kept), (url) => `T(${url})`);

  it('replace the address of every http and https link, and nothing else', () => {
    expect(
      tracked('<p><A class="x" HREF=\'https://a.example/?b=1&amp;c=2\'>a</A> https://b.example</p>'),
    ).toBe('<p><A class="x" HREF="T(https://a.example/?b=1&c=2)">a</A> https://b.example</p>');
    expect(tracked('<a href=http://a.example>a</a>')).toBe('<a href="T(http://a.example)">a</a>');
    for (const stays of [
      '<a href="mailto:a@b.example">a</a>',
      '<a href="javascript:alert(1)">a</a>',
      '<a href="#top">a</a>',
      '<a data-href="https://a.example">a</a>',
      '<abbr href="https://a.example">a</abbr>',
      '<img src="https://a.example/i.png">',
      `<a href="https://a.example/${'x'.repeat(2000)}">a</a>`,
      '<a href="https://[">a</a>',
    ])
      expect(tracked(stays)).toBe(stays);
    expect(tracked(`<a href="${unsubscribe}">x</a>`, [unsubscribe])).toBe(`<a href="${unsubscribe}">x</a>`);
  });

  it('lead where the hub has signed them to, also with a key from before a rotation, and nowhere else', () => {
    const token = signClick(click, keys.slice(1));
    expect(readClick(token, keys)).toEqual(click);
    const inSeries = { ...click, step: 'hello' };
    expect(readClick(signClick(inSeries, keys), keys)).toEqual(inSeries);
    expect(readClick(token, ['0123456789abcdef-another'])).toBeUndefined();
    const [payload = '', signature = ''] = token.split('.');
    const forged = Buffer.from(payload, 'base64url').toString().replace('acme.example', 'evil.example');
    expect(readClick(`${Buffer.from(forged).toString('base64url')}.${signature}`, keys)).toBeUndefined();
    const link = { address: 'email:ada@example.com', channel: 'email', issuedAt: 1 } as const;
    for (const purpose of ['unsubscribe', 'preferences', 'confirm'] as const) {
      expect(readClick(signLink(purpose, link, keys), keys)).toBeUndefined();
      expect(readLink(purpose, token, keys)).toBeUndefined();
    }
    expect(readClick(signClick({ ...click, url: 'javascript:alert(1)' }, keys), keys)).toBeUndefined();
  });

  it.each([
    ['GET', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/604.1', {}, true],
    ['HEAD', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/604.1', {}, false],
    ['GET', 'Mozilla/5.0 (Windows NT 10.0)', { 'sec-purpose': 'prefetch;prerender' }, false],
    ['GET', 'Mozilla/5.0 (compatible; Googlebot/2.1)', {}, false],
    ['GET', 'Mozilla/5.0 BarracudaCentral', {}, false],
    ['GET', 'WhatsApp/2.23', {}, false],
    ['GET', undefined, {}, false],
  ])('by %s of %s with %j is a click: %s', (method, agent, headers, expected) => {
    expect(isClick(method, { ...headers, 'user-agent': agent })).toBe(expected);
  });
});
