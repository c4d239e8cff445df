import type { Decision } from '../decision.ts';

const UNITS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** `2 h`, `1 d 3 h`, `12 min`: at most two units, rounded up to the smaller one. */
export const lengthWords = (ms: number): string => {
  const first = UNITS.findIndex(([size]) => ms >= size);
  if (first === -1) return 'less than a second';
  const [size = 1000, unit = 's'] = UNITS[first] ?? [];
  const whole = Math.floor(ms / size);
  const [small, smaller] = UNITS[first + 1] ?? [];
  if (small === undefined) return `${Math.ceil(ms / size)} ${unit}`;
  const rest = Math.ceil((ms - whole * size) / small);
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller}`;
};

/** `2026-03-01 09:00:00 UTC` */
export const timeWords = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`;

/** What a decision leads to, as a sentence ends with it. */
export const outcomeWords = (decision: Decision): string => {
  if (decision.decision === 'send') return `be sent by ${decision.channel}`;
  if (decision.decision === 'wait') return `wait until ${timeWords(new Date(decision.until).toISOString())}`;
  return `be suppressed (${decision.reason})`;
};
