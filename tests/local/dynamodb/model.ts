import type {
  Action,
  Intent,
  Step,
  Test,
  Write,
} from '../../../infra/local/dynamodb/comparison/random-operations.ts';

/** A plain model of DynamoDB: a map of items, read and written by the letter of the documentation. */

type Value = Readonly<Record<string, unknown>>;
type Item = Record<string, Value>;
type Refusal = { readonly error: string; readonly codes?: readonly string[]; readonly item?: unknown };
type Outcome = Refusal | { readonly answer: unknown };

const typeOf = (value: Value): string => Object.keys(value)[0] ?? '';
const inner = (value: Value): unknown => Object.values(value)[0];
const copy = <Data>(data: Data): Data => JSON.parse(JSON.stringify(data)) as Data;

/** One text for each value, whatever the order of its members. */
export const normal = (data: unknown): unknown => {
  if (Array.isArray(data)) return data.map(normal);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => value !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => [
        name,
        /^(?:SS|NS|BS)$/u.test(name) && Array.isArray(value) ? [...value].sort() : normal(value),
      ]),
  );
};
const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(normal(one)) === JSON.stringify(normal(other));

const find = (item: Item, path: readonly Step[]): Value | undefined => {
  let value: Value | undefined = { M: item };
  for (const step of path) {
    const within: unknown = value?.[typeof step === 'number' ? 'L' : 'M'];
    value = (within as Record<Step, Value> | undefined)?.[step];
  }
  return value;
};

const bytes = (value: Value): Buffer => Buffer.from(String(inner(value)), 'B' in value ? 'base64' : 'utf8');
const order = (one: Value, other: Value): number | undefined => {
  if (typeOf(one) !== typeOf(other)) return undefined;
  if ('N' in one) return Number(one['N']) - Number(other['N']);
  return 'S' in one || 'B' in one ? Buffer.compare(bytes(one), bytes(other)) : undefined;
};
const compares = (value: Value | undefined, op: string, other: Value): boolean => {
  const difference = value && order(value, other);
  if (difference === undefined) return false;
  if (op === '<') return difference < 0;
  if (op === '<=') return difference <= 0;
  return op === '>' ? difference > 0 : difference >= 0;
};

const size = (value: Value): number | undefined => {
  const held = inner(value);
  if ('S' in value) return String(held).length;
  if ('B' in value) return bytes(value).length;
  if (Array.isArray(held)) return held.length;
  return 'M' in value ? Object.keys(held as object).length : undefined;
};

const holds = (test: Test, item: Item): boolean => {
  if ('tests' in test) {
    const [one, other] = test.tests.map((each) => holds(each, item));
    return test.op === 'and' ? one === true && other === true : one === true || other === true;
  }
  if ('test' in test) return !holds(test.test, item);
  const value = find(item, test.path);

  if ('low' in test) return compares(value, '>=', test.low) && compares(value, '<=', test.high);
  if ('values' in test) return test.values.some((one) => value !== undefined && same(one, value));
  if (!('value' in test)) return (value !== undefined) === (test.op === 'exists');
  if (test.op === '=') return value !== undefined && same(value, test.value);
  if (test.op === '<>') return value === undefined || !same(value, test.value);
  if (value === undefined) return false;
  const other: Value = test.value;
  if (test.op === 'attribute_type') return typeOf(value) === inner(other);
  if (test.op === 'begins_with') return 'S' in value && String(value['S']).startsWith(String(inner(other)));
  if (test.op === 'size>=') return (size(value) ?? -1) >= Number(inner(other));
  if (test.op !== 'contains') return compares(value, test.op, other);
  const held = inner(value);
  if (Array.isArray(held))
    return 'L' in value
      ? held.some((one) => same(one, other))
      : typeOf(value) === `${typeOf(other)}S` && held.includes(inner(other));
  if (typeOf(value) !== typeOf(other)) return false;
  if ('B' in value) return bytes(value).includes(bytes(other));
  return 'S' in value && String(held).includes(String(inner(other)));
};

class Invalid extends Error {}

const plus = (one: Value | undefined, other: Value, sign: 1 | -1): Value => {
  if (one === undefined || !('N' in one) || !('N' in other)) throw new Invalid();
  return { N: String(Number(one['N']) + sign * Number(other['N'])) };
};

const store = (item: Item, path: readonly Step[], value: Value | undefined): void => {
  const last = path.at(-1) ?? '';
  const parent = path.length === 1 ? { M: item } : find(item, path.slice(0, -1));
  const within = parent?.[typeof last === 'number' ? 'L' : 'M'] as Record<Step, Value> | Value[] | undefined;
  if (within === undefined) throw new Invalid();
  if (Array.isArray(within)) {
    if (value === undefined) within.splice(Number(last), 1);
    else within[Math.min(Number(last), within.length)] = value;
  } else if (value === undefined) delete within[last];
  else within[last] = value;
};

const assigned = (action: Action, before: Item): Value | undefined => {
  const present = find(before, action.path);
  const given = (value: Value | undefined): Value => {
    if (value === undefined) throw new Invalid();
    return copy(value);
  };
  if (action.do === 'copy') return given(find(before, action.from));
  if (action.do === 'set') return given(action.value);
  if (action.do === 'default') return given(present ?? action.value);
  if (action.do === 'plus' || action.do === 'minus')
    return plus(present, action.value, action.do === 'plus' ? 1 : -1);
  if (action.do !== 'append') return undefined;
  if (present === undefined || !('L' in present)) throw new Invalid();
  return copy({ L: [...(present['L'] as Value[]), ...(inner(action.value) as Value[])] });
};

const updated = (before: Item, actions: readonly Action[]): Item => {
  const sets = actions.map((action) => assigned(action, before));
  const item = copy(before);
  for (const [at, action] of actions.entries()) {
    const value = sets[at];
    if (value !== undefined) store(item, action.path, value);
    else if (action.do === 'remove') store(item, action.path, undefined);
    else if (action.do === 'add' || action.do === 'delete') {
      const present = find(item, action.path);
      if (present !== undefined && typeOf(present) !== typeOf(action.value)) throw new Invalid();
      if ('N' in action.value) store(item, action.path, plus(present ?? { N: '0' }, action.value, 1));
      else {
        const held = (present ? inner(present) : []) as string[];
        const given = inner(action.value) as string[];
        const next =
          action.do === 'add'
            ? [...new Set([...held, ...given])]
            : held.filter((one) => !given.includes(one));
        if (present !== undefined || action.do === 'add')
          store(item, action.path, next.length > 0 ? { [typeOf(action.value)]: next } : undefined);
      }
    }
  }
  return item;
};

const keyName = (item: Item): string => `${String(item['pk']?.['S'])} ${String(item['sk']?.['S'])}`;
const keyOf = (write: Write): Item => (write.type === 'Put' ? write.item : write.key) as Item;
const indexTypes = { a: 'S', g: 'S', n: 'N' } as const;

const expectIndexable = (item: Item): void => {
  for (const [name, type] of Object.entries(indexTypes)) {
    const value = item[name];
    if (value !== undefined && (typeOf(value) !== type || inner(value) === '')) throw new Invalid();
  }
};

/** Runs intents one after the other and answers what DynamoDB would, apart from the order of a scan. */
export class Model {
  readonly items = new Map<string, Item>();

  run(intent: Intent): Outcome {
    try {
      return this.#run(intent);
    } catch (error) {
      if (error instanceof Invalid) return { error: 'ValidationException' };
      throw error;
    }
  }

  #after(write: Write): Item | undefined {
    const present = this.items.get(keyName(keyOf(write)));
    if (write.type === 'Put') return copy(write.item) as Item;
    if (write.type === 'Delete') return undefined;
    if (!('actions' in write)) return present;
    const item = updated(present ?? (copy(write.key) as Item), write.actions);
    expectIndexable(item);
    return item;
  }

  #put(key: string, item: Item | undefined): void {
    if (item === undefined) this.items.delete(key);
    else this.items.set(key, item);
  }

  #run(intent: Intent): Outcome {
    if (intent.type === 'write') return this.#write(intent.write, intent.returns);
    if ('backwards' in intent) return { answer: this.#search(intent) };
    if (intent.type === 'get') {
      const item = this.items.get(keyName(intent.key as Item));
      return { answer: item && (intent.paths ? shown(item, intent.paths) : item) };
    }
    if ('keys' in intent) {
      const names = intent.keys.map((key) => keyName(key as Item));
      if (new Set(names).size < names.length) return { error: 'ValidationException' };
      return { answer: names.map((name) => this.items.get(name)) };
    }
    if ('puts' in intent) {
      for (const item of intent.puts) expectIndexable(item as Item);
      const names = [...intent.puts, ...intent.deletes].map((one) => keyName(one as Item));
      if (new Set(names).size < names.length) return { error: 'ValidationException' };
      for (const item of intent.puts) this.#put(keyName(item as Item), copy(item) as Item);
      for (const key of intent.deletes) this.items.delete(keyName(key as Item));
      return { answer: undefined };
    }
    return this.#transact(intent.writes);
  }

  #write(write: Write, returns: string): Outcome {
    if (write.type !== 'Update' && !/^(?:NONE|ALL_OLD)$/u.test(returns))
      return { error: 'ValidationException' };
    if (write.type === 'Put') expectIndexable(write.item as Item);
    const key = keyName(keyOf(write));
    const before = this.items.get(key);
    if (write.test && !holds(write.test, before ?? {}))
      return { error: 'ConditionalCheckFailedException', item: before };
    const after = this.#after(write);
    this.#put(key, after);
    if (returns === 'NONE') return { answer: undefined };
    if (returns === 'ALL_OLD') return { answer: before };
    if (returns === 'ALL_NEW') return { answer: after };
    const source = returns === 'UPDATED_OLD' ? before : after;
    const paths = write.type === 'Update' ? write.actions.map(({ path }) => path) : [];
    const picked = source && shown(source, paths);
    return { answer: picked && Object.keys(picked).length > 0 ? picked : undefined };
  }

  #transact(writes: readonly Write[]): Outcome {
    const invalidPuts = writes.map(
      (one) => one.type === 'Put' && throws(() => expectIndexable(one.item as Item)),
    );
    const cancelled = (codes: readonly string[]): Outcome => ({
      error: 'TransactionCanceledException',
      codes,
    });
    if (invalidPuts.includes(true))
      return cancelled(invalidPuts.map((bad) => (bad ? 'ValidationError' : 'None')));
    const names = writes.map((write) => keyName(keyOf(write)));
    if (new Set(names).size < names.length) return { error: 'ValidationException' };
    const met = writes.map(
      ({ test }, at) => test === undefined || holds(test, this.items.get(names[at] ?? '') ?? {}),
    );
    if (met.includes(false)) return cancelled(met.map((ok) => (ok ? 'None' : 'ConditionalCheckFailed')));
    const bad = writes.map((write) => throws(() => this.#after(write)));
    if (bad.includes(true)) return cancelled(bad.map((one) => (one ? 'ValidationError' : 'None')));
    const after = writes.map((write) => this.#after(write));
    for (const [at, name] of names.entries()) this.#put(name, after[at]);
    return { answer: undefined };
  }

  #search(intent: Extract<Intent, { type: 'query' | 'scan' }>): unknown {
    const [hash, range] = intent.index === 'byN' ? ['g', 'n'] : ['pk', intent.index === 'byA' ? 'a' : 'sk'];
    const read = [...this.items.values()].filter(
      (item) =>
        item[hash] !== undefined &&
        item[range] !== undefined &&
        (intent.type === 'scan' ||
          (same(item[hash], intent.hash) && (intent.range === undefined || holds(intent.range, item)))),
    );
    const held = ['pk', 'sk', ...(intent.index === 'byN' ? ['g', 'n', 'a', 'f'] : ['a'])];
    const seen = (item: Item): Item =>
      intent.index === undefined
        ? item
        : Object.fromEntries(Object.entries(item).filter(([name]) => held.includes(name)));
    const found = read.filter((item) => intent.filter === undefined || holds(intent.filter, seen(item)));
    const ordered = found.sort((one, other) => {
      const difference = order(one[range] ?? {}, other[range] ?? {}) ?? 0;
      return intent.backwards ? -difference : difference;
    });
    const items = ordered.map(seen);
    return {
      scanned: read.length,
      count: found.length,
      items: intent.count ? [] : items,
      ranges: items.map((item) => item[range]),
    };
  }
}

const throws = (work: () => unknown): boolean => {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof Invalid) return true;
    throw error;
  }
};

/** The parts of an item that lie on some paths, none of which lies in another. */
const shown = (item: Item, paths: readonly (readonly Step[])[]): Item => {
  const result: Item = {};
  for (const path of paths) {
    const value = find(item, path);
    if (value === undefined) continue;
    // From the innermost step outwards.
    const wrapped = path
      .slice(1)
      .reduceRight<Value>(
        (held, step) => (typeof step === 'number' ? { L: [held] } : { M: { [step]: held } }),
        value,
      );
    result[String(path[0])] = wrapped;
  }
  return result;
};
