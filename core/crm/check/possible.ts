import type { FieldRule } from '../mapping/fields.ts';
import { pathEntry, type Subject } from '../mapping/paths.ts';
import { type Transform, transformer } from '../mapping/transforms.ts';

/** A kind of value; `any` if it depends on the customer. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'date' | 'datetime' | 'list' | 'object' | 'any';

/** The values that the rule of a field may give. */
export interface Possible {
  readonly kinds: ReadonlySet<ValueKind>;
  /** All of them, if they are few. */
  readonly values?: readonly unknown[];
  /** Whether the mapping itself lists these values: a constant, or the targets of a look-up. */
  readonly isListed: boolean;
  /** The most characters, if they are limited. */
  readonly length?: number;
  /** Whether there is always a value. */
  readonly isCertain: boolean;
  /** Whether the text of a message is in it, which may be longer than any other. */
  readonly hasBody: boolean;
}

/** Texts that a `when` admits, by path: `{ channel: [sms] }` leaves only one channel. */
export type Narrowed = Readonly<Record<string, readonly string[]>>;

const kindOf = (value: unknown): ValueKind => {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as 'number' | 'boolean';
  return 'object';
};

const of = (kind: ValueKind, more: Partial<Possible> = {}): Possible => ({
  kinds: new Set([kind]),
  ...{ isListed: false, isCertain: false, hasBody: false },
  ...more,
});

const listed = (values: readonly unknown[], isCertain: boolean): Possible => ({
  kinds: new Set(values.map(kindOf)),
  ...{ values, isListed: true, isCertain, hasBody: false },
  length: Math.max(0, ...values.map((one) => String(one).length)),
});

type Source = Pick<FieldRule, 'from' | 'value' | 'template' | 'transform'>;

/** The values that a rule, or its fallback, may give. */
export const possibleValues = (rule: Source, subject: Subject, narrowed: Narrowed = {}): Possible =>
  rule.transform.reduce<Possible>(after, sourceOf(rule, subject, narrowed));

const sourceOf = ({ from, value, template }: Source, subject: Subject, narrowed: Narrowed): Possible => {
  if (template !== undefined)
    return /\{\{|\{%/u.test(template)
      ? of('text', { isCertain: withoutTags(template) !== '', hasBody: /\btext\b/u.test(template) })
      : listed([template.trim()], true);
  if (from === undefined) return listed([value], true);
  const { type, values, length, isCertain = false } = pathEntry(from, subject) ?? { type: 'any' };
  const left = values?.filter((one) => narrowed[from]?.includes(one) ?? true);
  return of(type, {
    ...{ isCertain, hasBody: from === 'text' },
    ...(left !== undefined && { values: left, length: Math.max(...left.map((one) => one.length)) }),
    ...(length !== undefined && { length }),
  });
};

/** The text that is there whatever the tags give. */
const withoutTags = (template: string): string => {
  let depth = 0;
  let text = '';
  for (const part of template.split(/(\{\{[^{}]*\}\}|\{%[^{}]*%\})/u)) {
    if (/^\{%-? {0,8}(?:if|unless|case|for)\b/u.test(part)) depth++;
    else if (/^\{%-? {0,8}end/u.test(part)) depth--;
    else if (depth === 0 && !part.startsWith('{{') && !part.startsWith('{%')) text += part;
  }
  return text.trim();
};

/** The values after a transform. Few values are transformed themselves. */
const after = (before: Possible, transform: Transform): Possible => {
  if (typeof transform === 'object' && 'lookup' in transform) return afterLookup(before, transform.lookup);
  if (typeof transform === 'object' && 'default' in transform) return afterDefault(before, transform.default);
  const next = {
    ...changed(before, transform),
    isListed: before.isListed,
    hasBody: before.hasBody,
    isCertain: certainty(before, transform),
  };
  if (before.values === undefined) return next;
  const values = before.values.flatMap((one) => transformedValue(one, transform));
  return { ...next, values, length: Math.max(0, ...values.map((one) => String(one).length)) };
};

/** A value that a transform refuses is reported by its kind. */
const transformedValue = (value: unknown, transform: Transform): unknown[] => {
  try {
    const result = transformer(transform)(value);
    return result === undefined ? [] : [result];
  } catch {
    return [value];
  }
};

const certainty = ({ isCertain }: Possible, transform: Transform): boolean =>
  isCertain && transform !== 'e164' && transform !== 'first';

const changed = (before: Possible, transform: Transform): Possible => {
  const { kinds, length } = before;
  const sized = length === undefined ? {} : { length };
  const withKinds = (...more: readonly ValueKind[]): Possible => ({
    ...of('any'),
    kinds: new Set(more),
  });
  if (typeof transform === 'object' && 'truncate' in transform)
    return { ...of('any'), kinds, length: Math.min(length ?? transform.truncate, transform.truncate) };
  if (typeof transform === 'object') return withKinds(...joined(kinds));
  switch (transform) {
    case 'join':
      return withKinds(...joined(kinds));
    case 'first':
      return withKinds(...[...kinds].map((kind) => (kind === 'list' ? 'text' : kind)));
    case 'e164':
      return { ...withKinds('text'), length: 16 };
    case 'date':
      return { ...withKinds('date'), length: 10 };
    case 'datetime':
      return { ...withKinds('datetime'), length: 24 };
    case 'boolean':
      return withKinds('boolean');
    case 'number':
      return withKinds('number');
    case 'escape':
      return withKinds(...kinds);
    default:
      return { ...withKinds(...kinds), ...sized };
  }
};

const joined = (kinds: ReadonlySet<ValueKind>): ValueKind[] =>
  [...kinds].map((kind) => (kind === 'list' ? 'text' : kind));

const afterLookup = (before: Possible, lookup: Readonly<Record<string, unknown>>): Possible => {
  const keys = before.values?.map(String);
  const reached = Object.entries(lookup).filter(([key]) => keys?.includes(key) ?? true);
  const isComplete = keys?.every((key) => Object.hasOwn(lookup, key)) ?? false;
  return listed(
    reached.map(([, target]) => target),
    before.isCertain && isComplete,
  );
};

const afterDefault = (before: Possible, standard: unknown): Possible => {
  if (before.isCertain) return before;
  const other = listed([standard], true);
  const { values: _, length: __, ...rest } = before;
  return {
    ...rest,
    kinds: new Set([...before.kinds, ...other.kinds]),
    ...(before.values !== undefined && { values: [...before.values, standard] }),
    ...(before.length !== undefined && { length: Math.max(before.length, other.length ?? 0) }),
    isCertain: true,
  };
};

/** The keys of look-ups that no value can reach, because the path before them has other values. */
export const unreachedKeys = (rule: Source, subject: Subject): string[] => {
  let present = sourceOf(rule, subject, {});
  const unreached: string[] = [];
  for (const transform of rule.transform) {
    if (typeof transform === 'object' && 'lookup' in transform && present.values !== undefined) {
      const values = present.values.map(String);
      unreached.push(...Object.keys(transform.lookup).filter((key) => !values.includes(key)));
    }
    present = after(present, transform);
  }
  return unreached;
};
