import { Drop, Liquid } from 'liquidjs';

/** More than the longest e-mail that providers show whole, and than any field of a CRM. */
const LONGEST_TEMPLATE = 500_000;
/** A template that takes longer is a loop that its author did not mean. */
const RENDER_MS = 1000;
/** What filters and ranges may allocate in one rendering: characters and elements of lists. */
const ALLOCATIONS = 5_000_000;

/** HTML that the hub has rendered itself, such as the body of an e-mail that its layout shows: it is not escaped again. */
export class RenderedHtml {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

const escapeValue = (value: unknown): string =>
  value instanceof RenderedHtml
    ? value.html
    : outputText(value).replace(/[&<>"']/gu, (character) => escapes[character] ?? character);

/** A value as Liquid writes it: nothing for null, the elements of a list one after the other. */
const outputText = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(outputText).join('')
    : value === undefined || value === null
      ? ''
      : String(value);

interface EngineOptions {
  /** `html` escapes every value; `text` writes it as it is. */
  readonly medium: 'html' | 'text';
  /** What a variable without a value is: an `error`, or `empty` text. */
  readonly missing: 'error' | 'empty';
}

/**
 * The one configuration of Liquid for everything that people write templates for. A template reads the own properties of
 * the variables that it is given and nothing else: no file (there is an empty map of partials instead of a file system)
 * and no prototype. An unknown filter or tag is an error when it is parsed.
 */
export const liquidEngine = ({ medium, missing }: EngineOptions): Liquid =>
  new Liquid({
    strictFilters: true,
    strictVariables: missing === 'error',
    lenientIf: true,
    ownPropertyOnly: true,
    templates: {},
    parseLimit: LONGEST_TEMPLATE,
    renderLimit: RENDER_MS,
    memoryLimit: ALLOCATIONS,
    ...(medium === 'html' && { outputEscape: escapeValue }),
  });

/** The first line of what Liquid reports: it names the variable or tag and its place, and never a value. */
export const liquidMessage = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);

/** A variable that a template reads, and where. Line and column from 1. */
export interface ReadVariable {
  readonly path: readonly string[];
  readonly line: number;
}

/** The variables that a template reads and does not set itself, in the order of their lines. Throws where it cannot be parsed. */
export const variablesRead = (source: string): ReadVariable[] =>
  Object.values(parser.analyzeSync(parser.parse(source)).globals)
    .flat()
    .map(({ segments, location }) => ({ path: segments.map(String), line: location.row }))
    .sort((one, other) => one.line - other.line);

const parser = liquidEngine({ medium: 'text', missing: 'error' });

/** Of an error that a rendering threw: the variable that has no value, if that is the reason, and the line, if known. */
export const placeOf = (error: unknown): { readonly variable?: string; readonly line?: number } => {
  const message = liquidMessage(error);
  const [, variable] = /^undefined variable: ([^,]+)/u.exec(message) ?? [];
  const [, line] = /, line:(\d+)/u.exec(message) ?? [];
  return { ...(variable !== undefined && { variable }), ...(line !== undefined && { line: Number(line) }) };
};

const NAME = Symbol('name');

class Sample extends Drop {
  readonly [NAME]: string;

  constructor(name: string) {
    super();
    this[NAME] = name;
  }

  override liquidMethodMissing(key: string | number): object {
    return sampleValue(String(key));
  }

  *[Symbol.iterator](): Iterator<object> {
    yield sampleValue(this[NAME]);
  }

  override toString(): string {
    return `[${this[NAME]}]`;
  }
}

/**
 * Stands for a value whose shape nobody knows: it shows as its name in brackets, and has every field and one element. Filters
 * such as `where` ask an element whether it has a field.
 */
export const sampleValue = (name: string): object =>
  new Proxy(new Sample(name), {
    has: (target, key) => typeof key === 'string' || Reflect.has(target, key),
  });
