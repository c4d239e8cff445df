import { invalid } from '../values/values.ts';

interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const TOKEN = /\s*(?:(<>|<=|>=|[=<>()+\-,.[\]])|([#:][A-Za-z0-9_]+)|([A-Za-z_][A-Za-z0-9_]*)|(\d+))/uy;
const LONGEST = 4096;
const END = '<EOF>';

/** The tokens of one expression, from left to right. `kind` is the parameter's name in error messages. */
export class Lexer {
  readonly kind: string;
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(text: string, kind: string) {
    this.kind = kind;
    this.#text = text;
    if (text === '') throw this.refusal('The expression can not be empty;');
    const bytes = Buffer.byteLength(text);
    if (bytes > LONGEST)
      throw this.refusal(`Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
    const trimmed = text.trimEnd();
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < trimmed.length) {
      const from = TOKEN.lastIndex;
      const match = TOKEN.exec(trimmed);
      if (match === null) {
        const start = from + trimmed.slice(from).search(/\S/u);
        this.#tokens.push({ text: [...trimmed.slice(start)][0] ?? '', start, end: start + 1 });
        this.#at = this.#tokens.length - 1;
        throw this.syntax();
      }
      const word = match[0].trimStart();
      this.#tokens.push({ text: word, start: TOKEN.lastIndex - word.length, end: TOKEN.lastIndex });
    }
    if (this.#tokens.length === 0) throw this.syntax();
  }

  refusal(reason: string): Error {
    return invalid(`Invalid ${this.kind}: ${reason}`);
  }

  /** A syntax error at the next token. */
  syntax(): Error {
    const token = this.#tokens[this.#at];
    const [before, after] = [this.#tokens[this.#at - 1], this.#tokens[this.#at + 1]];
    const start = before?.start ?? token?.start ?? 0;
    const end = after?.end ?? token?.end ?? this.#text.length;
    return this.refusal(
      `Syntax error; token: "${token?.text ?? END}", near: "${this.#text.slice(start, end)}"`,
    );
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text ?? '';
  }

  next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.syntax();
    this.#at++;
    return token.text;
  }

  /** Consumes the next token where it is `word`, in any case. */
  take(word: string): boolean {
    if (this.peek().toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.syntax();
  }

  end(): void {
    if (!this.done) throw this.syntax();
  }
}
