import { ServiceError } from '../../protocol/json.ts';
import { invalid, parseValue, type Value } from '../values/values.ts';

type Names = Readonly<Record<string, string>>;
type Values = Readonly<Record<string, unknown>>;

/** The placeholders of one request's expressions. DynamoDB refuses a placeholder that no expression uses. */
export class Placeholders {
  readonly #names: Names;
  readonly #values = new Map<string, Value>();
  readonly #used = new Set<string>();

  /** `expressions`: whether the request has an expression; without one it may not define placeholders. */
  constructor(names: Names | undefined, values: Values | undefined, expressions: boolean) {
    for (const [given, what, mark] of [
      [names, 'ExpressionAttributeNames', '#'],
      [values, 'ExpressionAttributeValues', ':'],
    ] as const) {
      if (given === undefined) continue;
      if (!expressions) throw invalid(`${what} can only be specified when using expressions`);
      const keys = Object.keys(given);
      if (keys.length === 0) throw invalid(`${what} must not be empty`);
      for (const key of keys)
        if (key[0] !== mark || !/^.[A-Za-z0-9_]+$/u.test(key))
          throw invalid(`${what} contains invalid key: Syntax error; key: "${key}"`);
    }
    this.#names = names ?? {};
    for (const [key, name] of Object.entries(this.#names))
      if (name === '')
        throw invalid(`ExpressionAttributeNames contains invalid value: Empty attribute name for key ${key}`);
    for (const [key, raw] of Object.entries(values ?? {})) this.#values.set(key, parsed(key, raw));
  }

  /** The attribute name of a placeholder; undefined where the request does not define it. */
  name(placeholder: string): string | undefined {
    this.#used.add(placeholder);
    return Object.hasOwn(this.#names, placeholder) ? this.#names[placeholder] : undefined;
  }

  value(placeholder: string): Value | undefined {
    this.#used.add(placeholder);
    return this.#values.get(placeholder);
  }

  expectAllUsed(): void {
    for (const [keys, what] of [
      [Object.keys(this.#names), 'ExpressionAttributeNames'],
      [[...this.#values.keys()], 'ExpressionAttributeValues'],
    ] as const) {
      const unused = keys.filter((key) => !this.#used.has(key));
      if (unused.length > 0)
        throw invalid(`Value provided in ${what} unused in expressions: keys: {${unused.join(', ')}}`);
    }
  }
}

const parsed = (key: string, raw: unknown): Value => {
  try {
    return parseValue(raw);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.type !== 'ValidationException') throw error;
    throw invalid(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`);
  }
};
