/** A field, or a field of a parent: `Account.Owner.Name`. */
export interface Path {
  readonly names: readonly string[];
  /** Where it stands in the query. */
  readonly at: number;
}

export type Literal =
  | { readonly kind: 'null' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Epoch milliseconds, the end excluded; a point in time ends where it starts. */
  | { readonly kind: 'time'; readonly from: number; readonly to: number };

export type Comparison =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'LIKE'
  | 'IN'
  | 'NOT IN'
  | 'INCLUDES'
  | 'EXCLUDES';

export type Condition =
  | { readonly kind: 'group'; readonly every: boolean; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | {
      readonly kind: 'compare';
      readonly path: Path;
      readonly comparison: Comparison;
      readonly values: readonly Literal[];
    }
  | { readonly kind: 'semijoin'; readonly path: Path; readonly negated: boolean; readonly query: Query };

export const aggregates = ['COUNT', 'COUNT_DISTINCT', 'SUM', 'AVG', 'MIN', 'MAX'] as const;
export type Aggregate = (typeof aggregates)[number];

export type Selected =
  | { readonly kind: 'field'; readonly path: Path; readonly alias?: string }
  | { readonly kind: 'aggregate'; readonly name: Aggregate; readonly path: Path; readonly alias?: string }
  | { readonly kind: 'children'; readonly query: Query }
  | { readonly kind: 'every'; readonly group: 'ALL' | 'STANDARD' | 'CUSTOM' };

export interface Order {
  readonly path: Path;
  readonly descending: boolean;
  readonly nullsLast: boolean;
}

export interface Query {
  /** Empty for `SELECT COUNT()`. */
  readonly select: readonly Selected[];
  readonly from: Path;
  readonly where?: Condition;
  readonly groupBy: readonly Path[];
  readonly orderBy: readonly Order[];
  readonly limit?: number;
  readonly offset: number;
}
