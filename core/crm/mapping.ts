import * as z from 'zod';
import { HubError } from '../errors.ts';
import { type Customer, nameParts } from '../identity/customer.ts';
import { identifierType, identifierValue } from '../identity/identifier.ts';
import { byStrength, e164, type IdentityConfig } from '../identity/rules.ts';
import type { Interaction } from '../interaction/interaction.ts';
import { matches, parsePattern } from '../triggers/pattern/index.ts';
import { fieldTemplate } from './field-template.ts';

const Transform = z.union([
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
type Transform = z.infer<typeof Transform>;

const Template = z.string().superRefine((template, context) => {
  try {
    fieldTemplate(template);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

const FieldRule = z
  .strictObject({
    from: z.string().optional(),
    value: z.json().optional(),
    template: Template.optional(),
    transform: z.array(Transform).default([]),
    write: z.enum(['always', 'if-empty', 'crm-owns', 'never']).default('always'),
    to: z.string().optional(),
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

const RecordRule = z.strictObject({
  object: z.string(),
  key: z.string(),
  fields: z.record(z.string(), FieldRule),
});

/** `mappings/crm/<crm>.yaml`: which field of the CRM gets what. */
export const CrmMapping = z.strictObject({
  contact: RecordRule,
  interactions: z.array(RecordRule.extend({ when: z.record(z.string(), z.json()) })).default([]),
});
export type CrmMapping = z.infer<typeof CrmMapping>;

type Source = (view: object) => unknown;

/**
 * A rule made ready: the fields of a record from a view of a customer or an interaction. A field of `write: if-empty` that
 * is among `written` is left out: the hub filled it once, and whatever stands there now is the CRM's.
 */
export type Compiled = (view: object, written?: readonly string[]) => Record<string, unknown>;

/**
 * Compiles the fields once, to the JavaScript that one would write for them by hand, so that a record costs no more. Fields
 * owned by the CRM are left out. Of a mapping only names become part of the code, each as a JSON string.
 */
export const compile = (fields: Readonly<Record<string, FieldRule>>): Compiled => {
  const parts: unknown[] = [];
  const part = (one: unknown): string => `part${parts.push(one) - 1}`;
  const objects = new Map<string, { readonly name: string; readonly read: string }>();
  /** The code of the object at a path, which is read once in a record: undefined where there is none. */
  const objectAt = (path: readonly string[]): string => {
    if (path.length === 0) return 'view';
    const key = JSON.stringify(path);
    const read = objects.has(key) ? '' : readOf(path);
    const one = objects.get(key) ?? { name: `object${objects.size}`, read };
    objects.set(key, one);
    return one.name;
  };
  const readOf = (path: readonly string[]): string =>
    `${objectAt(path.slice(0, -1))}?.[${JSON.stringify(path.at(-1))}]`;
  const body = Object.entries(fields)
    .filter(([, { write }]) => write === 'always' || write === 'if-empty')
    .map(([name, { write, from, value, template, transform }]) => {
      const read =
        template !== undefined
          ? `${part(textOf(template))}(view)`
          : from === undefined
            ? part(value)
            : readOf(from.split('.'));
      const changed = transform.reduce((code, one) => `${part(transformOf(one))}(${code})`, read);
      const key = JSON.stringify(name);
      const store = `value = ${changed}; if (value !== undefined && value !== null && value !== '') record[${key}] = value;`;
      return write === 'if-empty' ? `if (!written.includes(${key})) { ${store} }` : store;
    });
  const constants = parts.map((_, at) => `const part${at} = parts[${at}];`).join('\n');
  const reads = [...objects.values()].map(({ name, read }) => `const ${name} = object(${read});`);
  const code = [...reads, ...body].join('\n');
  const source = `'use strict';
${constants}
const object = (value) => (typeof value === 'object' && value !== null ? value : undefined);
return (view, written = []) => {
let value;
const record = {};
${code}
return record;
};`;
  return new Function('parts', source)(parts) as Compiled;
};

const textOf = (template: string): Source => {
  const render = fieldTemplate(template);
  return (view) => render(view).trim();
};

const onText =
  (change: (text: string) => unknown): ((value: unknown) => unknown) =>
  (value) =>
    typeof value === 'string' ? change(value) : value;

const named: Readonly<Record<string, (value: unknown) => unknown>> = {
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

const transformOf = (transform: Transform): ((value: unknown) => unknown) => {
  if (typeof transform === 'string') return named[transform] ?? ((value) => value);
  if ('truncate' in transform) return onText((text) => [...text].slice(0, transform.truncate).join(''));
  if ('lookup' in transform) return (value) => transform.lookup[String(value)];
  if ('join' in transform) return (value) => (Array.isArray(value) ? value.join(transform.join) : value);
  return (value) => (value === undefined || value === null || value === '' ? transform.default : value);
};

/**
 * A customer as mappings name it: `name.first`, `identifiers.email.primary`, `identifiers.phone.all`,
 * `preferences.channel`, `traits.*`, `stage`, `tags`, `language`, `timeZone`, `primaryIdentifier`. Of `identifiers`
 * those of `without` are left out.
 */
export const customerView = (
  customer: Customer,
  identity: IdentityConfig,
  without: ReadonlySet<string> = new Set(),
): object => {
  const identifiers: Record<string, { primary: string; all: string[] }> = {};
  for (const identifier of customer.identifiers.filter((one) => !without.has(one))) {
    const [type, value] = [identifierType(identifier), identifierValue(identifier)];
    const held = identifiers[type];
    if (held) held.all.push(value);
    else identifiers[type] = { primary: value, all: [value] };
  }
  const [strongest] = byStrength(customer.identifiers, identity);
  return {
    id: customer.id,
    name: nameParts(customer.name),
    identifiers,
    primaryIdentifier: strongest === undefined ? customer.id : identifierValue(strongest),
    preferences: customer.preferences,
    traits: customer.traits,
    tags: customer.tags,
    stage: customer.stage,
    language: customer.language,
    timeZone: customer.timeZone,
  };
};

export interface CompiledMapping {
  readonly contact: {
    readonly object: string;
    readonly key: string;
    readonly fields: Compiled;
    /** The fields of `write: if-empty`. */
    readonly once: readonly string[];
    /** The fields of `write: always`. */
    readonly always: readonly string[];
  };
  /** Where interactions may have gone, and the field that holds their ids: each object once. */
  readonly interactionObjects: readonly { readonly object: string; readonly key: string }[];
  /** The rule of an interaction, the first whose `when` matches; undefined where the CRM does not want it. */
  readonly forInteraction: (
    interaction: Interaction,
  ) => { readonly object: string; readonly key: string; readonly fields: Compiled } | undefined;
}

/** Makes a mapping ready. Throws `HubError` `invalid-configuration` naming the CRM's file. */
export const compileMapping = (crm: string, raw: unknown): CompiledMapping => {
  const parsed = CrmMapping.safeParse(raw);
  if (!parsed.success)
    throw new HubError(
      'invalid-configuration',
      `mappings/crm/${crm}.yaml: ${z.prettifyError(parsed.error)}`,
      { retry: 'later', cause: parsed.error },
    );
  const { contact, interactions } = parsed.data;
  const rules = interactions.map(({ when, object, key, fields }) => ({
    when: parsePattern(when),
    object,
    key,
    fields: compile(fields),
  }));
  return {
    contact: {
      ...contact,
      fields: compile(contact.fields),
      once: Object.keys(contact.fields).filter((name) => contact.fields[name]?.write === 'if-empty'),
      always: Object.keys(contact.fields).filter((name) => contact.fields[name]?.write === 'always'),
    },
    interactionObjects: [...new Map(rules.map(({ object, key }) => [object, { object, key }])).values()],
    forInteraction: (interaction) => rules.find(({ when }) => matches(when, interaction)),
  };
};
