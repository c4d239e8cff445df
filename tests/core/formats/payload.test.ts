import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textOfHtml } from '../../../core/formats/html.ts';
import {
  inflate,
  msisdn,
  parseForm,
  parseJson,
  parsePayload,
  readTime,
} from '../../../core/formats/payload.ts';
import { parseXml } from '../../../core/formats/xml.ts';
import { charactersRead } from '../../support/characters-read.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('JSON and forms', () => {
  it('drop keys that would change a prototype, and keep every digit', () => {
    const read = parseJson(bytes('{"a":{"__proto__":{"x":1},"constructor":1,"b":[12345678901234567890]}}'));
    expect(JSON.stringify(read)).toBe('{"a":{"b":["12345678901234567890"]}}');
    expect(Object.keys(parseForm(bytes('__proto__=1&constructor=2&a=3')))).toEqual(['a']);
  });
});

describe('numbers', () => {
  const digits = fc.stringMatching(/^-?[1-9]\d{0,24}$/u);
  const scalar = fc.oneof(
    digits.map((text) => ({ text, read: Number.isSafeInteger(Number(text)) ? Number(text) : text })),
    fc.string().map((value) => ({ text: JSON.stringify(value), read: value })),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((value) => !Number.isInteger(value))
      .map((value) => ({ text: JSON.stringify(value), read: value })),
    fc.constant({ text: '"\\\\\\"12345678901234567890"', read: '\\"12345678901234567890' }),
    fc.constantFrom({ text: 'true', read: true }, { text: 'null', read: null }),
  );
  interface Written {
    readonly text: string;
    readonly read: unknown;
  }
  const { json } = fc.letrec<{ json: Written }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      scalar,
      fc.array(tie('json'), { maxLength: 4 }).map((all) => ({
        text: `[${all.map(({ text }) => text).join(' , ')}]`,
        read: all.map(({ read }) => read),
      })),
      fc.dictionary(fc.string(), tie('json'), { maxKeys: 4 }).map((all) => ({
        text: `{${Object.entries(all)
          .map(([key, { text }]) => `${JSON.stringify(key)}:${text}`)
          .join(', ')}}`,
        read: Object.fromEntries(
          Object.entries(all).flatMap(([key, { read }]) =>
            ['__proto__', 'constructor', 'prototype'].includes(key) ? [] : [[key, read]],
          ),
        ),
      })),
    ),
  }));

  it('keep every digit, wherever they are and whatever is around them', () => {
    fc.assert(
      fc.property(json, ({ text, read }) => {
        expect(parseJson(bytes(text))).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740993', '-9007199254740993'],
    ['{"a":"\\"","b":9007199254740993}', { a: '"', b: '9007199254740993' }],
    ['[1,0.1234567890123456789]', [1, 0.12345678901234568]],
    ['{"id":1234567890123456789}', { id: '1234567890123456789' }],
  ])('%s', (text, read) => {
    expect(parseJson(bytes(text))).toEqual(read);
    expect(parsePayload(bytes(text))).toEqual(read);
  });
});

describe('null', () => {
  it('is dropped as a member, kept in a list, and kept as a whole value', () => {
    const text = bytes('{"a":null,"b":[null,{"c":null,"d":12345678901234567890}]}');
    expect(parsePayload(text)).toEqual({ b: [null, { d: '12345678901234567890' }] });
    expect(parseJson(text)).toEqual({ a: null, b: [null, { c: null, d: '12345678901234567890' }] });
  });
});

describe('HTML', () => {
  it.each([
    [
      '<p>It&rsquo;s <b>me</b><br>\n  &amp; you</p>\n<p>&#8364;5&nbsp;&lt;b&gt;</p>',
      'It’s me\n& you\n€5\u00a0<b>',
    ],
    ['<html><head><title>T</title><style>p{a:b}</style></head><body><!-- <p>x</p> -->Hi</body></html>', 'Hi'],
    ['Hi<STYLE media="x">p{}</STYLE > there<script>alert("</p>")', 'Hi there'],
    ['1 < 2 &unknown; &#0;', '1 < 2 &unknown; &#0;'],
    ['', ''],
    ['&copy; &Eacute;lan &hellip; &nsubE; &AMP; &#146; &#x1F600;', '© Élan … ⫅̸ & ’ 😀'],
    ['fish&nbsp &copy 2026, ?a=1&copy=2 &sect&para; &notit;', 'fish\u00a0 © 2026, ?a=1&copy=2 §¶ &notit;'],
    ['a<!-- <p>x</p> > --> b<!---->c<!-- open', 'a bc'],
    ['<img alt="a > b">one<td>1</td><td>2</td> <a title=\'x\'y>z</a>', 'one 1 2 z'],
    ['first<div>second</div><ul><li>third<li>fourth</ul>', 'first\nsecond\nthird\nfourth'],
  ])('%s becomes its text', (html, words) => {
    expect(textOfHtml(html)).toBe(words);
  });

  it.each([
    ['<a href="https://a.example/?x=1&amp;y=2">words</a>', 'words (https://a.example/?x=1&y=2)'],
    ["<a class=x href='https://a.example/?q=a>b'>words</a>", 'words (https://a.example/?q=a>b)'],
    ['<A HREF=https://a.example/>words</A>!', 'words (https://a.example/)!'],
    ['<a data-href="https://no.example">words</a>', 'words'],
    ['<abbr title="x">words</abbr>', 'words'],
  ])('%s shows where its link goes', (html, words) => {
    expect(textOfHtml(html, { links: true })).toBe(words);
  });

  it.each(['<style>', '<a b="', '<!--', '<title', '<br', '</p', '&#1', ' <'])(
    'made of %s is read a fixed number of times, whatever its length',
    (part) => {
      const html = part.repeat(300);
      const ends = ['>', '/>', '/p>', '-->', '</style>', ';', '\n'];
      expect(charactersRead(() => textOfHtml(html, { links: true }), ends)).toBeLessThan(20 * html.length);
    },
  );
});

describe('gzip', () => {
  it('is inflated up to the cap and no further', () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    expect(inflate(gzipSync('hello'), 5)).toEqual(Buffer.from('hello'));
    expect(() => inflate(bomb, 999_999)).toThrow(/more than/);
    expect(() => inflate(bytes('plain'), 100)).toThrow(/not gzip/);
  });
});

describe('XML', () => {
  it('becomes text, lists and attributes by local names', () => {
    const soap = '<?xml version="1.0"?><s:E xmlns:s="x"><n:Id a="1">007</n:Id><Id>&lt;b&gt;</Id></s:E>';
    expect(parseXml(bytes(soap))).toMatchObject({ E: { Id: [{ '#text': '007', '@a': '1' }, '<b>'] } });
  });

  it.each([
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
    ['an entity', '<x><!ENTITY a "b"></x>'],
    ['great depth', '<a>'.repeat(200) + '</a>'.repeat(200)],
    ['an element named to do harm', '<x><__proto__><y>1</y></__proto__></x>'],
    ['an unclosed element', '<x><y></x>'],
    ['great size', `<x>${'a'.repeat(2_000_001)}</x>`],
    ['no XML', 'hello'],
  ])('refuses %s', (_, text) => {
    expect(() => parseXml(bytes(text))).toThrow(expect.objectContaining({ code: 'unreadable-delivery' }));
  });
});

describe('times', () => {
  it.each([
    ['2026-03-04T05:06:07.123456Z', '2026-03-04T05:06:07.123Z'],
    ['2026-03-04T05:06:07+0130', '2026-03-04T03:36:07.000Z'],
    ['2026-03-04T05:06:07-05:00', '2026-03-04T10:06:07.000Z'],
    ['2026-03-04 05:06:07 UTC', '2026-03-04T05:06:07.000Z'],
    ['2026-03-04 05:06:07', '2026-03-04T05:06:07.000Z'],
    ['2026-03-04', '2026-03-04T00:00:00.000Z'],
    ['Wed, 4 Mar 2026 05:06:07 +0100', '2026-03-04T04:06:07.000Z'],
    ['04 Mar 2026 05:06 GMT', '2026-03-04T05:06:00.000Z'],
    ['1772600767', '2026-03-04T05:06:07.000Z'],
    [1772600767000, '2026-03-04T05:06:07.000Z'],
    ['2026-02-30T00:00:00Z', undefined],
    ['2026-03-04T25:00:00Z', undefined],
    ['yesterday', undefined],
    [null, undefined],
  ])('%s', (text, expected) => {
    expect(readTime(text)).toBe(expected);
  });
});

describe('numbers without a plus', () => {
  it.each([
    ['447700900123', '+447700900123'],
    [447700900123, '+447700900123'],
    ['+14155550100', '+14155550100'],
    ['12345', undefined],
    ['ACME', undefined],
    [undefined, undefined],
  ])('%s', (number, expected) => {
    expect(msisdn(number)).toBe(expected);
  });
});
