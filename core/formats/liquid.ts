import { Liquid } from 'liquidjs';

/** More than the longest e-mail that providers show whole, and than any field of a CRM. */
const LONGEST_TEMPLATE = 500_000;
/** A template that takes longer is a loop that its author did not mean. */
const RENDER_MS = 1000;
/** What filters and ranges may allocate in one rendering: characters and elements of lists. */
const ALLOCATIONS = 5_000_000;

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
    ...(medium === 'html' && { outputEscape: 'escape' as const }),
  });

/** The first line of what Liquid reports: it names the variable or tag and its place, and never a value. */
export const liquidMessage = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
