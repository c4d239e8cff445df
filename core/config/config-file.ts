import { LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { HubError } from '../errors.ts';

/** A fault of a configuration file. `key`: its path with dots; empty where the file as a whole is meant. */
export interface LocatedFault {
  readonly file: string;
  readonly line: number;
  readonly key: string;
  readonly message: string;
}

/** One line for a person: file, line, key and what was expected. */
export const faultLine = ({ file, line, key, message }: LocatedFault): string =>
  [`${file}:${line}`, ...(key === '' ? [] : [key]), message].join(': ');

/** Reads and validates a YAML configuration file: its value and what is written, without defaults; or every fault with its place. */
export const readConfigFile = <Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
):
  | { readonly value: z.output<Schema>; readonly written: unknown }
  | { readonly faults: readonly LocatedFault[]; readonly cause: Error } => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax) {
    const { line } = lines.linePos(syntax.pos[0]);
    return { faults: [{ file, line, key: '', message: syntax.message.split('\n')[0] ?? '' }], cause: syntax };
  }
  const written: unknown = document.toJS({ maxAliasCount: 50 });
  const result = schema.safeParse(written);
  if (result.success) return { value: result.data, written };
  const faults = faultsOf(result.error.issues).map(({ path, message }) => ({
    ...{ file, line: lineOf(document, lines, path) },
    key: path.length === 0 ? 'the file' : path.join('.'),
    message,
  }));
  return { faults, cause: result.error };
};

/**
 * Reads and validates a YAML configuration file. Throws `HubError` `invalid-configuration` with one line per fault: file,
 * line, key and the expected value.
 */
export const parseConfigFile = <Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
): z.output<Schema> => {
  const read = readConfigFile(file, text, schema);
  if ('value' in read) return read.value;
  throw new HubError('invalid-configuration', read.faults.map(faultLine).join('\n'), {
    ...{ retry: 'never', cause: read.cause },
  });
};

/** Finds the line of a key in the text of a valid YAML file; of a key that is not there, that of the next one above it. */
export const lineFinder = (text: string): ((path: readonly PropertyKey[]) => number) => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return (path) => lineOf(document, lines, path);
};

export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Reports an unknown key at the key itself, and a union by its closest branch. */
export const faultsOf = (issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): Fault[] =>
  issues.flatMap((issue): Fault[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key' }));
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const depth = (branch: readonly z.core.$ZodIssue[]): number =>
        Math.max(...branch.map((one) => one.path.length), 0);
      const deepest = Math.max(...issue.errors.map(depth));
      const closest = issue.errors.filter((branch) => depth(branch) === deepest);
      if (deepest > 0 && closest[0]) return faultsOf(closest[0], path);
      const wanted = [...new Set(closest.flat().map(expectation))]
        .join(', or ')
        .replaceAll(', or expected ', ', or ');
      return [{ path, message: wanted || issue.message }];
    }
    return [{ path, message: expectation(issue) }];
  });

const expectation = ({ message }: z.core.$ZodIssue): string =>
  message.replace(/^Invalid (?:input|option): /u, '');

const lineOf = (
  document: ReturnType<typeof parseDocument>,
  lines: LineCounter,
  path: readonly PropertyKey[],
): number => {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      const start: unknown = node.range[0];
      if (typeof start === 'number') return lines.linePos(start).line;
    }
  }
  return 1;
};
