/** When a failed operation may be tried again: never, when the caller tries again anyway, or after some seconds at the earliest. */
export type Retry = 'never' | 'later' | { readonly afterSeconds: number };

/** What the catalogue says of one code. */
export interface CatalogueEntry {
  /** Absent where it depends on the cause, so that the thrower decides. */
  readonly retry?: 'never' | 'later';
  /** A sentence: what happened. */
  readonly means: string;
  /** A sentence: what to do about it. */
  readonly advice: string;
}
