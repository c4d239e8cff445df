const operators = [
  'ISNOTEMPTY',
  'ISEMPTY',
  'NOT IN',
  'NOTLIKE',
  'NOT LIKE',
  'DOES NOT CONTAIN',
  'STARTSWITH',
  'ENDSWITH',
  'CONTAINS',
  'LIKE',
  'BETWEEN',
  'IN',
  '!=',
  '>=',
  '<=',
  '>',
  '<',
  '=',
] as const;

type Operator = (typeof operators)[number];

export interface Condition {
  /** A field, or a path through references: `account.name`. */
  readonly path: string;
  readonly operator: Operator;
  readonly value: string;
}

export interface Order {
  readonly path: string;
  readonly descending: boolean;
}

/** A record matches if it matches every clause of one of the groups; a clause is matched by one of its conditions. */
export interface Query {
  readonly groups: readonly (readonly (readonly Condition[])[])[];
  readonly orders: readonly Order[];
  /** Parts that are no conditions. */
  readonly invalid: number;
}

const conditionOf = (text: string): Condition | undefined => {
  const path = /^[a-z0-9_.]+/u.exec(text)?.[0] ?? '';
  const rest = text.slice(path.length);
  const operator = operators.find((candidate) => rest.startsWith(candidate));
  if (path === '' || operator === undefined) return undefined;
  return { path, operator, value: rest.slice(operator.length) };
};

/** `^` stands between conditions; `^^` is one that belongs to a value. */
const partsOf = (encoded: string): string[] =>
  encoded
    .replaceAll('^^', '\0')
    .split('^')
    .map((part) => part.replaceAll('\0', '^'));

const orderOf = (part: string): Order | undefined => {
  const [, direction, path] = /^ORDERBY(DESC)?([a-z0-9_.]+)$/u.exec(part) ?? [];
  return path === undefined ? undefined : { path, descending: direction !== undefined };
};

/** Reads an encoded query, the syntax of `sysparm_query`. */
export const parseQuery = (encoded: string): Query => {
  const groups: Condition[][][] = [[]];
  const orders: Order[] = [];
  let invalid = 0;
  for (const part of partsOf(encoded)) {
    const order = orderOf(part);
    if (order) orders.push(order);
    if (order || part === '' || part === 'EQ') continue;
    const [, link = '', text = ''] = /^(OR|NQ)?(.*)$/su.exec(part) ?? [];
    if (link === 'NQ') groups.push([]);
    const condition = conditionOf(text);
    const group = groups.at(-1) ?? [];
    if (condition === undefined) invalid += 1;
    else if (link === 'OR' && group.length > 0) group.at(-1)?.push(condition);
    else group.push([condition]);
  }
  return { groups, orders, invalid };
};
