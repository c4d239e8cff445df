import type { Value } from '../values/values.ts';

/** An attribute's place in an item: names and list positions. */
export type Path = readonly (string | number)[];

export type Operand =
  | { readonly path: Path }
  | { readonly value: Value }
  | { readonly call: string; readonly args: readonly Operand[] }
  | { readonly sum: readonly [Operand, '+' | '-', Operand] };

export type Condition =
  | { readonly and: readonly [Condition, Condition] }
  | { readonly or: readonly [Condition, Condition] }
  | { readonly not: Condition }
  | { readonly compare: readonly [Operand, string, Operand] }
  | { readonly between: readonly [Operand, Operand, Operand] }
  | { readonly among: readonly [Operand, readonly Operand[]] }
  | { readonly test: string; readonly args: readonly Operand[] };

export interface Update {
  readonly set: readonly { readonly path: Path; readonly to: Operand }[];
  readonly remove: readonly Path[];
  readonly add: readonly { readonly path: Path; readonly value: Value }[];
  readonly delete: readonly { readonly path: Path; readonly value: Value }[];
}

export const pathText = (path: Path): string =>
  `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`;

/** Every attribute that a condition reads. */
export const pathsIn = (condition: Condition): Path[] => {
  if ('and' in condition) return condition.and.flatMap(pathsIn);
  if ('or' in condition) return condition.or.flatMap(pathsIn);
  if ('not' in condition) return pathsIn(condition.not);
  return operandsOf(condition).flatMap(pathsOfOperand);
};

export const operandsOf = (
  condition: Exclude<Condition, { and: unknown } | { or: unknown } | { not: unknown }>,
): readonly Operand[] => {
  if ('compare' in condition) return [condition.compare[0], condition.compare[2]];
  if ('between' in condition) return condition.between;
  return 'among' in condition ? [condition.among[0], ...condition.among[1]] : condition.args;
};

const pathsOfOperand = (operand: Operand): Path[] => {
  if ('path' in operand) return [operand.path];
  if ('call' in operand) return operand.args.flatMap(pathsOfOperand);
  return 'sum' in operand ? [operand.sum[0], operand.sum[2]].flatMap(pathsOfOperand) : [];
};

export const pathsOf = (update: Update): Path[] => [
  ...update.set.map(({ path }) => path),
  ...update.remove,
  ...update.add.map(({ path }) => path),
  ...update.delete.map(({ path }) => path),
];
