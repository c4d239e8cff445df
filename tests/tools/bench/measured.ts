/** A measurement and its goal. */
export interface Measured {
  readonly name: string;
  readonly measured: number;
  readonly unit: string;
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
  /** Whether it is a duration, which depends on the machine: missing its goal is reported and is no failure. */
  readonly timed?: boolean;
  readonly note?: string;
}

export type Verdict = 'ok' | 'MISSED' | '';

export const verdictOf = ({ measured, goal }: Measured): Verdict => {
  if (goal === undefined) return '';
  return ('atMost' in goal ? measured <= goal.atMost : measured >= goal.atLeast) ? 'ok' : 'MISSED';
};

const rounded = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));

export const goalText = ({ goal, unit }: Measured): string => {
  if (goal === undefined) return '';
  return 'atMost' in goal ? `≤ ${goal.atMost} ${unit}`.trim() : `≥ ${goal.atLeast} ${unit}`.trim();
};

export const measuredText = ({ measured, unit }: Measured): string => `${rounded(measured)} ${unit}`.trim();
