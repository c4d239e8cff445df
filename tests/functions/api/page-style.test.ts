import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { accentColors, contrast } from '../../../functions/api/pages/brand.ts';
import { html, page } from '../../../functions/api/pages/html.ts';
import { siteFor } from '../../../functions/api/pages/site.ts';
import { acceptedLanguages } from '../../../functions/api/pages/words/index.ts';

const pageOf = (hub: object, own?: string, accepted?: string) => {
  const site = siteFor(HubConfig.parse(hub), own, accepted);
  return page(200, { site, title: site.words.unsubscribe.title, body: html`<p>${site.words.to}</p>` });
};

describe('the pages for customers', () => {
  it.each([
    ['it-CH', undefined, 'en', 'it', 'Annulla l’iscrizione'],
    ['en-GB', 'it', 'it', 'en', 'Unsubscribe'],
    [undefined, 'it-IT,it;q=0.9,en;q=0.8', 'en', 'it', 'Annulla l’iscrizione'],
    ['de', 'fr;q=0.9, en;q=0.1, it;q=0.5', 'en', 'it', 'Annulla l’iscrizione'],
    ['de', undefined, 'it', 'it', 'Annulla l’iscrizione'],
    ['de', 'fr', 'pt-BR', 'en', 'Unsubscribe'],
    ['constructor', '__proto__;q=1, it;q=x', 'en', 'en', 'Unsubscribe'],
  ])(
    'speak to a customer of %s, a browser of %s, in a hub of %s, in %s',
    (own, accepted, language, spoken, title) => {
      const { body } = pageOf({ language }, own, accepted);
      expect(body).toContain(`<html lang="${spoken}">`);
      expect(body).toContain(title);
    },
  );

  it('read the languages that a browser sends by their weights', () => {
    expect(acceptedLanguages('de;q=0.2, it-CH , en;q=0, <b>;q=1, *;q=0.5')).toEqual(['it-CH', 'de']);
    expect(acceptedLanguages(undefined)).toEqual([]);
  });

  it('show the name and the logo of the business, escaped, and load nothing else', () => {
    const brand = {
      name: 'Ada & "Söhne" <b>',
      logo: 'https://cdn.acme.example/logo.png?a="1',
      color: '#ff0000',
    };
    const { body = '', headers } = pageOf({ brand });
    expect(body).toContain('Ada &#38; &#34;Söhne&#34; &#60;b&#62;');
    expect(body).not.toContain('<b>');
    expect(body).not.toContain('a="1');
    expect(headers?.['content-security-policy']).toContain("default-src 'none'; style-src 'sha256-");
    expect(headers?.['content-security-policy']).toContain('img-src https://cdn.acme.example;');
    expect(pageOf({}).headers?.['content-security-policy']).not.toContain('img-src');
    expect(pageOf({ name: 'acme-shop' }).body).toContain('· Acme Shop</title>');
  });

  it('can be read in every colour: 4.5 to 1 in light and in dark mode, on the page and on a button', () => {
    const digit = fc.constantFrom(...'0123456789abcdef');
    const color = fc.array(digit, { minLength: 6, maxLength: 6 }).map((all) => `#${all.join('')}`);
    fc.assert(
      fc.property(fc.option(color, { nil: undefined }), (chosen) => {
        const { light, dark, onLight, onDark } = accentColors(chosen === undefined ? {} : { color: chosen });
        for (const background of ['#f4f6f8', '#ffffff'])
          expect(contrast(light, background)).toBeGreaterThanOrEqual(4.5);
        for (const background of ['#12161b', '#1b2027'])
          expect(contrast(dark, background)).toBeGreaterThanOrEqual(4.5);
        expect(contrast(onLight, light)).toBeGreaterThanOrEqual(4.5);
        expect(contrast(onDark, dark)).toBeGreaterThanOrEqual(4.5);
      }),
      { numRuns: 300 },
    );
  });

  it('keep a colour that can be read', () => {
    expect(accentColors({ color: '#0b5cad' }).light).toBe('#0b5cad');
    expect(accentColors({ color: '#ffff00' }).light).not.toBe('#ffff00');
  });
});
