import type { Template } from 'liquidjs';
import * as z from 'zod';
import type { ConsentStatus } from '../../consent/consent.ts';
import { HubError } from '../../errors.ts';
import { liquidEngine, liquidMessage } from '../../formats/liquid.ts';
import { comparable } from '../change.ts';
import { consentChannel } from './paths.ts';
import { Transform, transformer } from './transforms.ts';

const TemplateText = z.string().superRefine((template, context) => {
  try {
    readTemplate(template);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

/** Who writes a field of a contact (FORMATS, "mappings/crm"). */
export const Write = z.enum(['two-way', 'always', 'if-empty', 'crm-owns', 'never']);
export type Write = z.infer<typeof Write>;

/**
 * How one field of a record gets its value: from a path, a constant or a template, changed by transforms. `fallback`: the
 * path of a value for a new record, or for an empty field, if there is no other; it never replaces anything.
 */
export const FieldRule = z
  .strictObject({
    from: z.string().optional().describe('the path of the value'),
    value: z.json().optional().describe('a constant'),
    template: TemplateText.optional().describe('a Liquid template of paths'),
    fallback: z
      .string()
      .optional()
      .describe('the path of a value for a new record or an empty field, where there is no other'),
    transform: z.array(Transform).default([]).describe('named changes of the value, one after the other'),
    write: Write.default('two-way').describe('who writes the field'),
    to: z.string().optional().describe('with crm-owns: where the hub keeps the value of the CRM'),
  })
  .refine(
    ({ from, value, template, write }) =>
      write === 'crm-owns' || [from, value, template].filter((one) => one !== undefined).length === 1,
    { error: 'expected exactly one of from, value and template' },
  )
  .refine(({ write, to }) => (write === 'crm-owns') === (to !== undefined), {
    error: 'crm-owns needs `to`, and only crm-owns takes it',
  });
export type FieldRule = z.infer<typeof FieldRule>;

type View = Readonly<Record<string, unknown>>;
type Read = (view: View) => unknown;

/** The fields of a record from a view of a customer or an interaction; a field without a value is left out. */
export type FieldMapper = (view: object) => Record<string, unknown>;

/**
 * Prepares the fields of rules once, as one closure each, so that a record only runs them. Fields that the CRM owns, or that
 * are never written, are left out. Throws `HubError` `invalid-template`.
 */
export const compileFields = (rules: Readonly<Record<string, FieldRule>>): FieldMapper => {
  const fields = Object.entries(rules)
    .filter(([, { write }]) => write !== 'crm-owns' && write !== 'never')
    .map(([name, rule]) => ({ name, read: readField(rule) }));
  return (view) => valuesOf(fields, view);
};

/** The same for what stands in for the missing values of new records. */
export const compileFallbacks = (rules: Readonly<Record<string, FieldRule>>): FieldMapper => {
  const fields = Object.entries(rules).flatMap(([name, { fallback, transform }]) =>
    fallback === undefined ? [] : [{ name, read: transformed(readPath(fallback), transform) }],
  );
  return (view) => valuesOf(fields, view);
};

const valuesOf = (
  fields: readonly { readonly name: string; readonly read: Read }[],
  view: object,
): Record<string, unknown> => {
  const record: Record<string, unknown> = {};
  if (!isRecord(view)) return record;
  for (const { name, read } of fields) {
    const value = read(view);
    if (value !== undefined && value !== null && value !== '') record[name] = value;
  }
  return record;
};

/** Where a value of the CRM is stored in the hub's record of the customer. */
export interface PlacedValue {
  readonly path: string;
  readonly value: unknown;
}

/** Turns a value that a CRM reports for a field into ours, and tells what the field would then be written as. */
export interface FieldReader {
  readonly place: (value: unknown) => PlacedValue | undefined;
  readonly writtenAs: (value: unknown) => unknown;
}

/**
 * The fields whose values the hub takes over from the CRM: those that it owns, and two-way ones that come from a path. A
 * template or a constant has no place in the hub.
 */
export const compileReaders = (
  rules: Readonly<Record<string, FieldRule>>,
): ReadonlyMap<string, FieldReader> =>
  new Map(
    Object.entries(rules).flatMap(([name, { from, to, write, transform }]) => {
      const path = write === 'crm-owns' ? to : write === 'two-way' ? from : undefined;
      if (path === undefined) return [];
      const optOut = consentChannel(path) === undefined ? undefined : optOutOf(transform);
      const back = optOut ?? inverted(transform);
      const reader: FieldReader = {
        place: (value) => (back(value) === undefined ? undefined : { path, value: back(value) }),
        writtenAs: (value) => transformed(() => back(value), transform)({}),
      };
      return [[name, reader] as const];
    }),
  );

/**
 * By field that holds a consent, which opt-out a value of it means; undefined for every other value. An empty field, or one
 * that is false, is no opt-in.
 */
export const compileOptOuts = (
  rules: Readonly<Record<string, FieldRule>>,
): ReadonlyMap<string, (value: unknown) => ConsentStatus | undefined> =>
  new Map(
    Object.entries(rules).flatMap(([name, { from, to, transform }]) =>
      consentChannel(from ?? to) === undefined ? [] : [[name, optOutOf(transform)] as const],
    ),
  );

/** The stricter first: a CRM often has one value for both. */
const optOuts: readonly ConsentStatus[] = ['denied', 'service-only'];
const YES = /^(?:true|yes|1)$/iu;

const optOutOf = (transforms: readonly Transform[]): ((value: unknown) => ConsentStatus | undefined) => {
  const written = optOuts.map((status) => ({
    ...{ status, as: comparable(transformed(() => status, transforms)({})) },
  }));
  return (value) => {
    const text = comparable(value);
    if (text === '') return undefined;
    if (transforms.length === 0 && YES.test(text)) return 'denied';
    return written.find(({ as }) => as === text)?.status;
  };
};

/** A look-up is read backwards; other transforms leave the value of the CRM as it is. */
const inverted = (transforms: readonly Transform[]): ((value: unknown) => unknown) => {
  const lookups = transforms.flatMap((one) =>
    typeof one === 'object' && 'lookup' in one
      ? [new Map(Object.entries(one.lookup).map(([ours, theirs]) => [String(theirs), ours]))]
      : [],
  );
  return (value) =>
    lookups.reduceRight<unknown>((present, lookup) => lookup.get(String(present)), value ?? undefined);
};

const isRecord = (value: unknown): value is View => typeof value === 'object' && value !== null;

const readField = ({ from, value, template, transform }: FieldRule): Read =>
  transformed(
    template !== undefined ? readTemplate(template) : from !== undefined ? readPath(from) : () => value,
    transform,
  );

const transformed = (source: Read, transforms: readonly Transform[]): Read =>
  transforms.reduce<Read>((read, one) => {
    const change = transformer(one);
    return (view) => change(read(view));
  }, source);

/** Reads a dotted path: undefined where it leads through something that is not an object. */
const readPath = (path: string): Read => {
  const [first = '', ...rest] = path.split('.');
  return (view) => {
    let value = view[first];
    for (const step of rest) {
      if (!isRecord(value)) return undefined;
      value = value[step];
    }
    return value;
  };
};

const liquid = liquidEngine({ medium: 'text', missing: 'empty' });

/** Parses a template once; one without tags is a constant. Throws `HubError` `invalid-template`. */
const readTemplate = (template: string): Read => {
  if (!/\{\{|\{%/u.test(template)) {
    const text = template.trim();
    return () => text;
  }
  try {
    const parsed = liquid.parse(template);
    return (view) => renderField(parsed, view);
  } catch (error) {
    throw new HubError(
      'invalid-template',
      `The template of a field cannot be parsed: ${liquidMessage(error)}. Tags and filters are those of https://liquidjs.com.`,
      { retry: 'never', cause: error },
    );
  }
};

/** Throws `HubError` `template-failure` where the template exceeds a limit or a filter cannot use its value. */
const renderField = (template: Template[], view: View): string => {
  try {
    return String(liquid.renderSync(template, view)).trim();
  } catch (error) {
    throw new HubError(
      'template-failure',
      `The template of a field cannot be rendered: ${liquidMessage(error)}. Correct it in mappings/crm/.`,
      { retry: 'never', cause: error },
    );
  }
};
