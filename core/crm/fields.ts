import type { Template } from 'liquidjs';
import * as z from 'zod';
import { HubError } from '../errors.ts';
import { liquidEngine, liquidMessage } from '../formats/liquid.ts';
import { Transform, transformer } from './transforms.ts';

const TemplateText = z.string().superRefine((template, context) => {
  try {
    readTemplate(template);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

/** How one field of a record gets its value: from a path, a constant or a template, changed by transforms. */
export const FieldRule = z
  .strictObject({
    from: z.string().optional(),
    value: z.json().optional(),
    template: TemplateText.optional(),
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

type View = Readonly<Record<string, unknown>>;
type Read = (view: View) => unknown;

/**
 * The fields of a record from a view of a customer or an interaction; a field without a value is left out. A field of
 * `write: if-empty` that is among `written` is left out too: the hub has filled it once, and its present value belongs to
 * the CRM.
 */
export type FieldMapper = (view: object, written?: readonly string[]) => Record<string, unknown>;

/**
 * Prepares the fields of a rule once, as one closure each, so that a record only runs them. Fields that the CRM owns, or
 * that are never written, are left out. Throws `HubError` `invalid-template`.
 */
export const compileFields = (rules: Readonly<Record<string, FieldRule>>): FieldMapper => {
  const fields = Object.entries(rules)
    .filter(([, { write }]) => write === 'always' || write === 'if-empty')
    .map(([name, rule]) => ({ name, read: readField(rule), onlyOnce: rule.write === 'if-empty' }));
  return (view, written = []) => {
    const record: Record<string, unknown> = {};
    if (!isRecord(view)) return record;
    for (const { name, read, onlyOnce } of fields) {
      if (onlyOnce && written.includes(name)) continue;
      const value = read(view);
      if (value !== undefined && value !== null && value !== '') record[name] = value;
    }
    return record;
  };
};

const isRecord = (value: unknown): value is View => typeof value === 'object' && value !== null;

const readField = ({ from, value, template, transform }: FieldRule): Read => {
  const source =
    template !== undefined ? readTemplate(template) : from !== undefined ? readPath(from) : () => value;
  return transform.reduce<Read>((read, one) => {
    const change = transformer(one);
    return (view) => change(read(view));
  }, source);
};

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
