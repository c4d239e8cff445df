import { type Field, type Leaf, type Pattern, parsePattern } from './parse.ts';

export { type Pattern, parsePattern, usesWildcard } from './parse.ts';

/** The array elements that contain a leaf value: array → position. */
type Membership = ReadonlyMap<number, number>;

interface Value {
  readonly leaf: Leaf;
  readonly membership: Membership;
}

/** The leaves of an event by their path, array elements sharing the path of their array. */
type Leaves = ReadonlyMap<string, readonly Value[]>;

const patterns = new WeakMap<object, Pattern>();

/** A pattern of a stored trigger, parsed once. Throws `HubError` as `parsePattern` does. */
export const cachedPattern = (input: object): Pattern => {
  const known = patterns.get(input) ?? parsePattern(input);
  patterns.set(input, known);
  return known;
};

/** Whether an event matches. Fields below one array must match in the same element of it. */
export const matches = (pattern: Pattern, event: object): boolean => matchesLeaves(pattern, leavesOf(event));

const matchesLeaves = (pattern: Pattern, leaves: Leaves): boolean =>
  pattern.some((fields) => search(fields, 0, leaves, new Map()));

const leavesOf = (event: object): Leaves => {
  const leaves = new Map<string, Value[]>();
  let arrays = 0;
  const walk = (node: unknown, path: string | undefined, membership: Membership): void => {
    if (Array.isArray(node)) {
      const id = arrays++;
      for (const [position, element] of node.entries())
        walk(element, path, new Map([...membership, [id, position]]));
    } else if (typeof node === 'object' && node !== null) {
      for (const [name, child] of Object.entries(node))
        walk(child, path === undefined ? name : `${path}.${name}`, membership);
    } else if (
      path !== undefined &&
      (node === null || typeof node === 'string' || typeof node === 'number' || typeof node === 'boolean')
    ) {
      const values = leaves.get(path);
      if (values) values.push({ leaf: node, membership });
      else leaves.set(path, [{ leaf: node, membership }]);
    }
  };
  walk(event, undefined, new Map());
  return leaves;
};

/** Takes the fields in the order of their paths, as AWS's matcher does; that order decides what `exists: false` sees. */
const search = (fields: readonly Field[], at: number, leaves: Leaves, chosen: Membership): boolean => {
  const field = fields[at];
  if (field === undefined) return true;
  const values = (leaves.get(field.path) ?? []).flatMap(({ leaf, membership }) => {
    const joined = joinMemberships(chosen, membership);
    return joined ? [{ leaf, joined }] : [];
  });
  if (field.absent && values.length === 0 && search(fields, at + 1, leaves, chosen)) return true;
  return values.some(
    ({ leaf, joined }) =>
      field.any.some((matcher) => matcher.test(leaf)) && search(fields, at + 1, leaves, joined),
  );
};

/** Combines two memberships; undefined if they contain different elements of one array. */
const joinMemberships = (one: Membership, other: Membership): Membership | undefined => {
  if (other.size === 0) return one;
  for (const [array, position] of other) {
    const present = one.get(array);
    if (present !== undefined && present !== position) return undefined;
  }
  return one.size === 0 ? other : new Map([...one, ...other]);
};

export interface PatternIndex<Value> {
  add(id: string, pattern: Pattern, value: Value): void;
  remove(id: string): void;
  match(event: object): Value[];
}

/**
 * Matches an event against many patterns. Each alternative of a pattern is indexed by one of its fields with exact values
 * only, the one with the fewest entries, so that an event is tested against few patterns.
 */
export const patternIndex = <Value>(): PatternIndex<Value> => {
  const entries = new Map<string, { readonly pattern: Pattern; readonly value: Value }>();
  const buckets = new Map<string, Map<Leaf, Set<string>>>();
  const unindexed = new Set<string>();

  const bucketOf = (path: string, leaf: Leaf): Set<string> => {
    const values = buckets.get(path) ?? new Map<Leaf, Set<string>>();
    buckets.set(path, values);
    const ids = values.get(leaf) ?? new Set();
    values.set(leaf, ids);
    return ids;
  };
  const exactOf = (field: Field): Leaf[] | undefined => {
    const exact = field.any.flatMap((matcher) => ('exact' in matcher ? [matcher.exact ?? null] : []));
    return !field.absent && exact.length === field.any.length ? exact : undefined;
  };
  const addToIndex = (id: string, fields: readonly Field[]): void => {
    const choices = fields.flatMap((field) => {
      const exact = exactOf(field);
      return exact ? [exact.map((leaf) => bucketOf(field.path, leaf))] : [];
    });
    const load = (sets: readonly Set<string>[]): number => sets.reduce((sum, { size }) => sum + size, 0);
    const best = choices.sort((one, other) => load(one) - load(other))[0];
    if (best === undefined) unindexed.add(id);
    else for (const ids of best) ids.add(id);
  };
  const remove = (id: string): void => {
    entries.delete(id);
    unindexed.delete(id);
    for (const values of buckets.values()) for (const ids of values.values()) ids.delete(id);
  };
  return {
    add(id, pattern, value) {
      if (entries.has(id)) remove(id);
      entries.set(id, { pattern, value });
      for (const fields of pattern) addToIndex(id, fields);
    },
    remove,
    match(event) {
      const leaves = leavesOf(event);
      const candidates = new Set(unindexed);
      for (const [path, values] of buckets) {
        for (const { leaf } of leaves.get(path) ?? [])
          for (const id of values.get(leaf) ?? []) candidates.add(id);
      }
      const matched: Value[] = [];
      for (const id of candidates) {
        const entry = entries.get(id);
        if (entry && matchesLeaves(entry.pattern, leaves)) matched.push(entry.value);
      }
      return matched;
    },
  };
};
