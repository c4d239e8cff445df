import type { Item, Value } from '../values/values.ts';

/** Random operations in a form that a plain model can execute without parsing expressions. */
export type Step = string | number;
export type Test =
  | { readonly op: 'exists' | 'missing'; readonly path: readonly Step[] }
  | {
      readonly op:
        | '='
        | '<>'
        | '<'
        | '<='
        | '>'
        | '>='
        | 'begins_with'
        | 'contains'
        | 'attribute_type'
        | 'size>=';
      readonly path: readonly Step[];
      readonly value: Value;
    }
  | { readonly op: 'between'; readonly path: readonly Step[]; readonly low: Value; readonly high: Value }
  | { readonly op: 'in'; readonly path: readonly Step[]; readonly values: readonly Value[] }
  | { readonly op: 'and' | 'or'; readonly tests: readonly [Test, Test] }
  | { readonly op: 'not'; readonly test: Test };

export type Action =
  | {
      readonly do: 'set' | 'plus' | 'minus' | 'default' | 'append' | 'add' | 'delete';
      readonly path: readonly Step[];
      readonly value: Value;
    }
  | { readonly do: 'copy'; readonly path: readonly Step[]; readonly from: readonly Step[] }
  | { readonly do: 'remove'; readonly path: readonly Step[] };

export type Write =
  | { readonly type: 'Put'; readonly item: Item; readonly test?: Test | undefined }
  | { readonly type: 'Delete' | 'ConditionCheck'; readonly key: Item; readonly test?: Test | undefined }
  | {
      readonly type: 'Update';
      readonly key: Item;
      readonly actions: readonly Action[];
      readonly test?: Test | undefined;
    };

export type Intent =
  | { readonly type: 'write'; readonly write: Write; readonly returns: string }
  | { readonly type: 'get'; readonly key: Item; readonly paths?: readonly (readonly Step[])[] | undefined }
  | {
      readonly type: 'query' | 'scan';
      readonly index?: 'byN' | 'byA' | undefined;
      readonly hash: Value;
      readonly range?: Test | undefined;
      readonly filter?: Test | undefined;
      readonly backwards: boolean;
      readonly limit?: number | undefined;
      readonly count: boolean;
    }
  | { readonly type: 'batchWrite'; readonly puts: readonly Item[]; readonly deletes: readonly Item[] }
  | { readonly type: 'batchGet' | 'transactGet'; readonly keys: readonly Item[] }
  | { readonly type: 'transactWrite'; readonly writes: readonly Write[] };

export const TABLE = 'compared';

export const definition = {
  TableName: TABLE,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'a', 'g', 'n'].map((AttributeName) => ({
    AttributeName,
    AttributeType: AttributeName === 'n' ? 'N' : 'S',
  })),
  KeySchema: keySchema('pk', 'sk'),
  LocalSecondaryIndexes: [
    { IndexName: 'byA', KeySchema: keySchema('pk', 'a'), Projection: { ProjectionType: 'KEYS_ONLY' } },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byN',
      KeySchema: keySchema('g', 'n'),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['a', 'f'] },
    },
  ],
};

function keySchema(hash: string, range: string): object[] {
  return [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
}

/** A generator of numbers in [0, 1), the same for the same seed. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const words = ['', 'a', 'ab', 'b', 'ba', 'é', 'z', '日本'] as const;
const ranges = ['0', '1', '10', 'a', 'é', 'z~'] as const;
/** Sort keys and numbers at and beyond what DynamoDB takes. */
const oddRanges = ['', '\u0000', '🙂', 'e\u0301', 'x'.repeat(1024), 'x'.repeat(1025)] as const;
const oddNumbers = [
  ...['-0', '+1', '.5', '5.', '', 'x', ' 1', '1E-130', '1E-131', '9.9E125', '1E126', '0E500'],
  ...['9'.repeat(38), '9'.repeat(39), `-0.${'3'.repeat(38)}`],
] as const;
const ODD = 0.04;
const inLists = (levels: number): Value => (levels === 0 ? { S: '' } : { L: [inLists(levels - 1)] });

/** Random operations on few keys, so that they affect each other. */
export class RandomOperations {
  readonly #random: () => number;

  readonly #isOdd: boolean;

  /** `isOdd`: also with values that are empty, unusual or invalid. */
  constructor(random: () => number, { isOdd = false } = {}) {
    this.#random = random;
    this.#isOdd = isOdd;
  }

  #odd(): boolean {
    return this.#isOdd && this.#chance(ODD);
  }

  #under(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #one<Member>(members: readonly Member[]): Member {
    return members[this.#under(members.length)] as Member;
  }

  #some<Member>(most: number, make: () => Member): Member[] {
    return Array.from({ length: 1 + this.#under(most) }, make);
  }

  intent(): Intent {
    const roll = this.#random();
    if (roll < 0.45) {
      const write = this.write(false);
      const returns = this.#one(['NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW']);
      return { type: 'write', write, returns: write.type === 'Delete' ? 'ALL_OLD' : returns };
    }
    if (roll < 0.57)
      return {
        type: 'get',
        key: this.key(),
        paths: this.#chance(0.3) ? [this.#path(), ['pk']] : undefined,
      };
    if (roll < 0.8) return this.#search();
    if (roll < 0.86) return { type: 'transactGet', keys: this.#some(4, () => this.key()) };
    if (roll < 0.9) return { type: 'batchGet', keys: this.#some(5, () => this.key()) };
    if (roll < 0.94)
      return {
        type: 'batchWrite',
        puts: this.#some(3, () => this.#item()),
        deletes: this.#some(2, () => this.key()),
      };
    return { type: 'transactWrite', writes: this.#some(4, () => this.write(true)) };
  }

  #search(): Intent {
    const index = this.#one([undefined, undefined, 'byN', 'byA'] as const);
    const scans = this.#chance(0.25);
    const range = index === 'byN' ? 'n' : index === 'byA' ? 'a' : 'sk';
    return {
      type: scans ? 'scan' : 'query',
      index,
      hash: { S: this.#one(index === 'byN' ? ['g1', 'g2'] : ['p1', 'p2', 'p3']) },
      range: scans || this.#chance(0.5) ? undefined : this.#rangeTest(range),
      filter: index !== 'byA' && this.#chance(0.4) ? this.#filter(index) : undefined,
      backwards: this.#chance(0.4),
      limit: this.#chance(0.4) ? 1 + this.#under(5) : undefined,
      count: this.#chance(0.15),
    };
  }

  /** A filter may not name the keys of the index, or attributes that it does not project. */
  #filter(index: 'byN' | undefined): Test {
    return this.#test(1, index === 'byN' ? ['a', 'f'] : ['n', 's', 'm', 'l', 'a', 'f']);
  }

  #rangeTest(name: string): Test {
    const values = (): Value =>
      name === 'n'
        ? { N: String(this.#under(7) - 3) }
        : this.#odd()
          ? { S: this.#one(oddRanges) }
          : { S: this.#one(name === 'a' ? words.slice(1) : ranges) };
    if (name !== 'n' && this.#chance(0.25)) return { op: 'begins_with', path: [name], value: values() };
    if (this.#chance(0.3)) {
      const [low, high] = [values(), values()].sort(byValue) as [Value, Value];
      return { op: 'between', path: [name], low, high };
    }
    return { op: this.#one(['=', '<', '<=', '>', '>=']), path: [name], value: values() };
  }

  key(): Item {
    const sk = this.#odd() ? this.#one(oddRanges) : this.#one(ranges);
    return { pk: { S: this.#one(['p1', 'p2', 'p3']) }, sk: { S: sk } };
  }

  write(inTransaction: boolean): Write {
    const test = this.#chance(inTransaction ? 0.25 : 0.4) ? this.#test(2) : undefined;
    const roll = this.#random();
    if (inTransaction && roll < 0.15)
      return { type: 'ConditionCheck', key: this.key(), test: test ?? { op: 'missing', path: ['zz'] } };
    if (roll < 0.4) return { type: 'Put', item: this.#item(), test };
    if (roll < 0.55) return { type: 'Delete', key: this.key(), test };
    return { type: 'Update', key: this.key(), actions: this.#actions(), test };
  }

  #item(): Item {
    const item: Record<string, Value> = { ...this.key() };
    if (this.#chance(0.7)) item['a'] = this.#chance(0.02) ? { N: '1' } : { S: this.#one(words.slice(1)) };
    if (this.#chance(0.7)) item['n'] = this.#chance(0.02) ? { S: 'x' } : this.#number();
    if (this.#chance(0.6)) item['g'] = { S: this.#one(['g1', 'g2']) };
    if (this.#chance(0.5)) item['s'] = this.#set();
    if (this.#chance(0.5)) item['l'] = this.#list();
    if (this.#chance(0.5)) item['m'] = this.#map();
    if (this.#chance(0.3)) item['f'] = this.#scalar();
    if (this.#odd()) item[''] = this.#scalar();
    if (this.#odd()) item['f'] = inLists(29 + this.#under(5));
    return item;
  }

  #number(): Value {
    if (this.#odd()) return { N: this.#one(oddNumbers) };
    return { N: this.#chance(0.2) ? String((this.#under(21) - 10) / 4) : String(this.#under(7) - 3) };
  }

  #scalar(): Value {
    const roll = this.#random();
    if (roll < 0.35) return { S: this.#one(words) };
    if (roll < 0.7) return this.#number();
    if (roll < 0.8) return { BOOL: this.#chance(0.5) };
    return roll < 0.9 ? { NULL: true } : { B: Buffer.from(this.#one(words)).toString('base64') };
  }

  #set(): Value {
    if (this.#chance(0.6)) return { SS: [...new Set(this.#some(3, () => this.#one(words.slice(1))))] };
    return { NS: [...new Set(this.#some(3, () => String(this.#under(5))))] };
  }

  #list(): Value {
    return { L: this.#some(3, () => (this.#chance(0.2) ? this.#map() : this.#scalar())) };
  }

  #map(): Value {
    const map: Record<string, Value> = {};
    for (const name of ['x', 'y', 'z']) if (this.#chance(0.6)) map[name] = this.#scalar();
    if (this.#chance(0.3)) map['w'] = { L: [this.#scalar(), this.#scalar()] };
    return { M: map };
  }

  #path(heads: readonly string[] = ['a', 'n', 's', 'l', 'm', 'f']): Step[] {
    const head = this.#one(heads);
    if (head === 'm' && this.#chance(0.7))
      return this.#chance(0.2) ? ['m', 'w', this.#under(3)] : ['m', this.#one(['x', 'y', 'z', 'w'])];
    if (head === 'l' && this.#chance(0.7))
      return this.#chance(0.2) ? ['l', this.#under(3), 'x'] : ['l', this.#under(4)];
    return [head];
  }

  #test(depth: number, heads?: readonly string[]): Test {
    const roll = this.#random();
    const path = this.#path(heads);
    if (depth > 0 && roll < 0.3) {
      if (roll < 0.08) return { op: 'not', test: this.#test(depth - 1, heads) };
      return {
        op: roll < 0.2 ? 'and' : 'or',
        tests: [this.#test(depth - 1, heads), this.#test(depth - 1, heads)],
      };
    }
    if (roll < 0.42) return { op: this.#one(['exists', 'missing'] as const), path };
    if (roll < 0.56) return { op: this.#one(['=', '<>'] as const), path, value: this.#any() };
    if (roll < 0.7) return { op: this.#one(['<', '<=', '>', '>='] as const), path, value: this.#ordered() };
    if (roll < 0.76) return { op: 'begins_with', path, value: { S: this.#one(words) } };
    if (roll < 0.83) return { op: 'contains', path, value: this.#scalar() };
    if (roll < 0.88)
      return {
        op: 'attribute_type',
        path,
        value: { S: this.#one(['S', 'N', 'SS', 'NS', 'L', 'M', 'NULL']) },
      };
    if (roll < 0.92) return { op: 'size>=', path, value: { N: String(this.#under(4)) } };
    if (roll < 0.96) return { op: 'in', path, values: this.#some(3, () => this.#any()) };
    const text = this.#chance(0.5);
    const [low, high] = [this.#ordered(text), this.#ordered(text)].sort(byValue) as [Value, Value];
    return { op: 'between', path, low, high };
  }

  #ordered(text = this.#chance(0.5)): Value {
    return text ? { S: this.#one(words) } : this.#number();
  }

  #any(): Value {
    const roll = this.#random();
    if (roll < 0.7) return this.#scalar();
    return roll < 0.8 ? this.#set() : roll < 0.9 ? this.#list() : this.#map();
  }

  /** Actions on different attributes, so that no two paths overlap. */
  #actions(): Action[] {
    const heads = new Set(this.#some(3, () => this.#one(['a', 'n', 'g', 's', 'l', 'm', 'f'])));
    return [...heads].map((head) => this.#action(head));
  }

  #action(head: string): Action {
    const path = this.#path([head]);
    const roll = this.#random();
    if (roll < 0.15) return { do: 'remove', path };
    if (roll < 0.25) return { do: 'copy', path, from: this.#path(['a', 'n', 's', 'l', 'm', 'f']) };
    if (head === 's' && roll < 0.75)
      return { do: this.#one(['add', 'delete'] as const), path: ['s'], value: this.#set() };
    if (head === 'n' && roll < 0.75)
      return {
        do: this.#one(['plus', 'minus', 'add', 'default'] as const),
        path: ['n'],
        value: this.#number(),
      };
    if (head === 'l' && roll < 0.5) return { do: 'append', path: ['l'], value: this.#list() };
    const value =
      path.length > 1
        ? this.#scalar()
        : head === 'a' || head === 'g'
          ? { S: this.#one(words.slice(head === 'g' ? 0 : 1)) }
          : head === 'n'
            ? this.#number()
            : this.#any();
    return { do: roll < 0.35 ? 'default' : 'set', path, value };
  }
}

const byValue = (one: Value, other: Value): number => {
  if ('N' in one && 'N' in other) return Number(one.N) - Number(other.N);
  return Buffer.compare(Buffer.from('S' in one ? one.S : ''), Buffer.from('S' in other ? other.S : ''));
};
