import { addDecimals, formatDecimal, parseDecimal } from '../values/numbers.ts';
import { expectShallow, type Item, invalid, members, setOf, typeOf, type Value } from '../values/values.ts';
import { resolve, valueAt } from './evaluate.ts';
import { type Path, pathsOf, type Update } from './syntax.ts';

const wrongType = (): Error => invalid('An operand in the update expression has an incorrect data type');
const invalidPath = (): Error =>
  invalid('The document path provided in the update expression is invalid for update');

type Draft = Record<string, Value>;

/** The updated item. Every operand is read from the item before the update. */
export const applyUpdate = (item: Item, update: Update): Item => {
  const values = update.set.map(({ path, to }) => {
    const value = resolve(to, item);
    if (value === undefined)
      throw invalid('The provided expression refers to an attribute that does not exist in the item');
    return { path, value };
  });
  const next = draftOf(item, pathsOf(update));
  // Values beyond the end of a list are appended in the order of their positions.
  values.sort((one, other) => comparePaths(one.path, other.path));
  for (const { path, value } of values) {
    expectShallow(value, path.length);
    put(next, path, value);
  }
  for (const { path, value } of update.add) add(next, path, value);
  const emptied = update.delete.filter(({ path, value }) => deleteMembers(next, path, value));
  // List positions are those before the update, so the last ones are removed first.
  const removed = [...update.remove, ...emptied.map(({ path }) => path)];
  for (const path of removed.sort((one, other) => comparePaths(other, one))) remove(next, path);
  return next;
};

/** A copy of an item; attributes into which a path leads are copied deeply. */
const draftOf = (item: Item, paths: readonly Path[]): Draft => {
  const draft: Draft = Object.assign(Object.create(null), item);
  const nested = new Set(paths.flatMap(([name, ...rest]) => (rest.length > 0 ? [String(name)] : [])));
  for (const name of nested) {
    const value = draft[name];
    if (value !== undefined) draft[name] = structuredClone(value);
  }
  return draft;
};

const comparePaths = (one: Path, other: Path): number => {
  for (const [at, step] of one.entries()) {
    const beside = other[at];
    if (beside === undefined) return 1;
    if (step === beside) continue;
    if (typeof step === 'number' && typeof beside === 'number') return step - beside;
    return String(step) < String(beside) ? -1 : 1;
  }
  return one.length - other.length;
};

const parentOf = (item: Draft, path: Path): Draft | Value[] => {
  if (path.length === 1) return item;
  const parent = valueAt(item, path.slice(0, -1));
  if (parent && 'M' in parent && typeof path.at(-1) === 'string') return parent.M as Draft;
  if (parent && 'L' in parent && typeof path.at(-1) === 'number') return parent.L as Value[];
  throw invalidPath();
};

const put = (item: Draft, path: Path, value: Value): void => {
  const parent = parentOf(item, path);
  const step = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent[Math.min(Number(step), parent.length)] = value;
  else parent[step] = value;
};

const remove = (item: Draft, path: Path): void => {
  const parent = parentOf(item, path);
  const step = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(Number(step), 1);
  else delete parent[step];
};

const add = (item: Draft, path: Path, value: Value): void => {
  const present = valueAt(item, path);
  if (present !== undefined && typeOf(present) !== typeOf(value)) throw wrongType();
  if ('N' in value) {
    const before = present !== undefined && 'N' in present ? present.N : '0';
    put(item, path, { N: formatDecimal(addDecimals(parseDecimal(before), parseDecimal(value.N))) });
    return;
  }
  const old = present === undefined ? [] : (members(present) ?? []);
  put(item, path, setOf(setType(value), [...new Set([...old, ...(members(value) ?? [])])]));
};

/** Deletes members of a set. Returns whether the set is empty then and must be removed. */
const deleteMembers = (item: Draft, path: Path, value: Value): boolean => {
  const present = valueAt(item, path);
  if (present === undefined) {
    parentOf(item, path);
    return false;
  }
  if (typeOf(present) !== typeOf(value)) throw wrongType();
  const removed = new Set(members(value));
  const left = (members(present) ?? []).filter((one) => !removed.has(one));
  put(item, path, setOf(setType(value), left));
  return left.length === 0;
};

const setType = (value: Value): 'SS' | 'NS' | 'BS' => {
  if ('SS' in value) return 'SS';
  if ('NS' in value) return 'NS';
  if ('BS' in value) return 'BS';
  throw wrongType();
};
