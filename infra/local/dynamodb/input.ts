import type * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { invalid } from './values/values.ts';

/** Parameters that are maps: the next step of a path is a key, not a parameter. */
const maps: ReadonlySet<string> = new Set(['RequestItems']);
const MOST_ERRORS = 10;

/** Parses a request. Throws the errors in DynamoDB's words. */
export const parseInput = <Schema extends z.ZodType>(schema: Schema, raw: unknown): z.infer<Schema> => {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const errors: string[] = [];
  for (const issue of parsed.error.issues) {
    const value = valueAt(raw, issue.path);
    if (issue.code === 'invalid_type' && value !== undefined && value !== null)
      throw new ServiceError(
        'SerializationException',
        `${nameOf(issue.path)}: expected ${issue.expected}, found ${Array.isArray(value) ? 'a list' : typeof value}`,
      );
    if (issue.code === 'unrecognized_keys')
      throw invalid(
        `The local runtime does not support the parameter ${issue.keys.join(', ')}. Use expressions instead of the legacy parameters.`,
      );
    errors.push(
      `Value ${value === undefined || value === null ? 'null' : `'${textOf(value)}'`} at '${nameOf(issue.path)}' failed to satisfy constraint: ${constraint(issue)}`,
    );
  }
  const first = errors.slice(0, MOST_ERRORS);
  throw invalid(
    `${first.length} validation error${first.length > 1 ? 's' : ''} detected: ${first.join('; ')}`,
  );
};

const valueAt = (raw: unknown, path: readonly PropertyKey[]): unknown => {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
};

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** `KeySchema[0].KeyType` is `keySchema.1.member.keyType` to the service. */
const nameOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step, position) => {
      if (typeof step === 'number') return `${step + 1}.member`;
      if (maps.has(String(path[position - 1]))) return `${String(step)}.member`;
      const name = String(step);
      return `${name[0]?.toLowerCase() ?? ''}${name.slice(1)}`;
    })
    .join('.');

const constraint = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'invalid_value')
    return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
  if (issue.code === 'too_small')
    return `Member must have ${issue.origin === 'number' || issue.origin === 'int' ? 'value' : 'length'} greater than or equal to ${issue.minimum}`;
  if (issue.code === 'too_big')
    return `Member must have ${issue.origin === 'number' || issue.origin === 'int' ? 'value' : 'length'} less than or equal to ${issue.maximum}`;
  if (issue.code === 'invalid_format' && issue.format === 'regex')
    return `Member must satisfy regular expression pattern: ${String(issue.pattern ?? '').replace(/^\/\^?|\$?\/u?$/gu, '')}`;
  return 'Member must not be null';
};
