import { element } from '../protocol/query.ts';
import type { AwsResponse } from '../protocol/service.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An XML document whose root is `root`; `inner` is XML already. */
export const xmlAnswer = (root: string, inner: string, status = 200): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inner}</${root}>`,
});

export const emptyAnswer = (status: number, headers: Readonly<Record<string, string>> = {}): AwsResponse => ({
  status,
  headers,
  body: '',
});

export const errorAnswer = (
  {
    type,
    message,
    status,
    fields,
  }: Readonly<Record<'type' | 'message', string>> & {
    readonly status: number;
    readonly fields: Readonly<Record<string, unknown>>;
  },
  resource: string,
): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element('Code', type)}${element('Message', message)}${Object.entries(
    fields,
  )
    .map(([name, value]) => element(name, String(value)))
    .join('')}${element('Resource', resource)}${element('RequestId', crypto.randomUUID())}</Error>`,
});

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescapeXml = (text: string): string =>
  text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/giu, (whole, hex, decimal, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
  });

/** The contents of each `<tag>` in a small document without attributes or nesting of the same name. */
export const elementsIn = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}(?:\\s[^>]*)?>([\\s\\S]*?)</${tag}>`, 'gu'))].map(
    (match) => match[1] ?? '',
  );

export const textIn = (xml: string, tag: string): string | undefined => {
  const [first] = elementsIn(xml, tag);
  return first === undefined ? undefined : unescapeXml(first);
};
