import { liquidEngine, liquidMessage } from '../../../core/formats/liquid.ts';

/** The variables of a template. */
export type Variables = Readonly<Record<string, unknown>>;

const lenient = liquidEngine({ medium: 'text', missing: 'empty' });
const strict = liquidEngine({ medium: 'text', missing: 'error' });

/** A template cannot be filled; `message` names the variable, and never a value. */
export class UnfilledTemplate extends Error {
  override readonly name = 'UnfilledTemplate';
}

const filled = <Value>(fill: () => Value): Value => {
  try {
    return fill();
  } catch (error) {
    throw new UnfilledTemplate(liquidMessage(error), { cause: error });
  }
};

/** A text. A missing variable is empty. */
export const textOf = (template: string, variables: Variables): string =>
  filled(() => String(lenient.parseAndRenderSync(template, variables)));

/** A text in which every variable must have a value: credentials. */
export const certainTextOf = (template: string, variables: Variables): string =>
  filled(() => String(strict.parseAndRenderSync(template, variables)));

/** The whole text is one expression: then its value is meant, a number or a list too. */
const EXPRESSION = /^\s*\{\{-?((?:(?!\}\}|\{\{|\{%).)*)\}\}\s*$/su;

/** The value of a text of a JSON body: undefined where an expression has none. */
const evaluated = (template: string, variables: Variables): unknown => {
  const [, expression] = EXPRESSION.exec(template) ?? [];
  return expression === undefined
    ? textOf(template, variables)
    : filled((): unknown => lenient.evalValueSync(expression.replace(/-$/u, ''), variables));
};

/** What a place in an answer holds: a dotted path, or a template. */
export const placeOf = (place: string, variables: Variables): unknown =>
  evaluated(/\{\{|\{%/u.test(place) ? place : `{{ ${place} }}`, variables);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Fills a JSON body. Each text is filled by itself, so no value can break out of its place. `{ $each, $as, $value }` repeats
 * `$value` for the elements of a list, in a list among the other elements; `{ $merge: [...] }` makes one object of several; a
 * member whose expression has no value is left out.
 */
export const bodyOf = (node: unknown, variables: Variables): unknown => {
  if (typeof node === 'string') return evaluated(node, variables);
  if (Array.isArray(node))
    return node.flatMap((child: unknown) =>
      isRepeated(child) ? repeated(child, variables) : [bodyOf(child, variables) ?? null],
    );
  if (isRepeated(node)) return repeated(node, variables);
  if (!isRecord(node)) return node;
  const { $merge: parts } = node;
  if (Array.isArray(parts))
    return Object.fromEntries(
      parts.flatMap((part: unknown) => {
        const value = bodyOf(part, variables);
        return isRecord(value) ? Object.entries(value) : [];
      }),
    );
  return Object.fromEntries(
    Object.entries(node).flatMap(([name, child]) => {
      const value = bodyOf(child, variables);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
};

interface Repeated {
  readonly $each: string;
  readonly $as: string;
  readonly $value: unknown;
}

const isRepeated = (node: unknown): node is Repeated =>
  isRecord(node) && typeof node['$each'] === 'string' && typeof node['$as'] === 'string' && '$value' in node;

const repeated = ({ $each, $as, $value }: Repeated, variables: Variables): unknown[] =>
  listOf(placeOf($each, variables)).map((one) => bodyOf($value, { ...variables, [$as]: one }) ?? null);

/** A value as a list: nothing is an empty one. */
export const listOf = (value: unknown): unknown[] =>
  value === undefined || value === null || value === '' ? [] : Array.isArray(value) ? value : [value];

/**
 * Fills a path segment by segment. A segment with a value is encoded as a whole, so that no value adds a segment, a query or a
 * step upwards. Throws `UnfilledTemplate` for a segment that a value leaves empty.
 */
export const pathOf = (template: string, variables: Variables): string =>
  segmentsOf(template)
    .map((segment, position) => {
      if (!segment.includes('{')) return segment;
      const text = textOf(segment, variables).toWellFormed();
      if (position > 0 && /^\.{0,2}$/u.test(text))
        throw new UnfilledTemplate(`a part of the path ${template} is empty or made of dots`);
      return encodeURIComponent(text).replaceAll(/%(?:3D|3A|40|2C|3B|24|26|2B)/gu, decodeURIComponent);
    })
    .join('/');

/** Splits at each / outside of tags. */
const segmentsOf = (template: string): string[] => {
  const [first = '', ...others] = template.split(/(\{\{[^{}]*\}\}|\{%[^{}]*%\})/u);
  const segments = first.split('/');
  for (const [at, part] of others.entries()) {
    const [start = '', ...rest] = at % 2 === 0 ? [part] : part.split('/');
    segments.push(`${segments.pop() ?? ''}${start}`, ...rest);
  }
  return segments;
};
