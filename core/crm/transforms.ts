import * as z from 'zod';
import { e164 } from '../identity/normalise.ts';

/** A named change of a field's value in `mappings/crm/<crm>.yaml`. */
export const Transform = z.union([
  z.enum([
    'trim',
    'lower',
    'upper',
    'title',
    'e164',
    'date',
    'datetime',
    'first',
    'boolean',
    'number',
    'join',
  ]),
  z.strictObject({ truncate: z.int().positive() }),
  z.strictObject({ lookup: z.record(z.string(), z.json()) }),
  z.strictObject({ join: z.string() }),
  z.strictObject({ default: z.json() }),
]);
export type Transform = z.infer<typeof Transform>;

const onText =
  (change: (text: string) => unknown): ((value: unknown) => unknown) =>
  (value) =>
    typeof value === 'string' ? change(value) : value;

const byName: Readonly<Record<string, (value: unknown) => unknown>> = {
  trim: onText((text) => text.trim()),
  lower: onText((text) => text.toLowerCase()),
  upper: onText((text) => text.toUpperCase()),
  title: onText((text) => text.toLowerCase().replace(/(^|[\s'-])\p{L}/gu, (match) => match.toUpperCase())),
  e164: onText((text) => e164(text)),
  date: onText((text) => isoOf(text)?.slice(0, 10)),
  datetime: onText(isoOf),
  first: (value) => (Array.isArray(value) ? value[0] : value),
  boolean: (value) =>
    value === undefined ? undefined : value === true || /^(?:true|yes|1)$/iu.test(String(value)),
  number: (value) =>
    value === undefined || value === '' || !Number.isFinite(Number(value)) ? undefined : Number(value),
  join: (value) => (Array.isArray(value) ? value.join(', ') : value),
};

function isoOf(text: string): string | undefined {
  const at = Date.parse(text);
  return Number.isFinite(at) ? new Date(at).toISOString() : undefined;
}

/** The function of a transform. A value that it does not apply to passes unchanged. */
export const transformer = (transform: Transform): ((value: unknown) => unknown) => {
  if (typeof transform === 'string') return byName[transform] ?? ((value) => value);
  if ('truncate' in transform) return onText((text) => [...text].slice(0, transform.truncate).join(''));
  if ('lookup' in transform) return (value) => transform.lookup[String(value)];
  if ('join' in transform) return (value) => (Array.isArray(value) ? value.join(transform.join) : value);
  return (value) => (value === undefined || value === null || value === '' ? transform.default : value);
};
