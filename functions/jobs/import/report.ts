import type { ReportedRows } from '../../contracts/jobs/job.ts';

const MAX_REASONS = 30;
const MAX_LINES = 5;
const OTHER = 'other reasons';

/** Counts reported rows by reason, after those of earlier slices. It holds a limited number of reasons and lines. */
export const reportOf = (
  earlier: ReportedRows,
): { add(reason: string, line: number): void; rows(): ReportedRows } => {
  const byReason = new Map<string, { rows: number; lines: number[] }>(
    earlier.map(({ reason, rows, lines }) => [reason, { rows, lines: [...lines] }]),
  );
  return {
    add(reason, line) {
      const key = byReason.has(reason) || byReason.size < MAX_REASONS ? reason : OTHER;
      const entry = byReason.get(key) ?? { rows: 0, lines: [] };
      entry.rows++;
      if (entry.lines.length < MAX_LINES) entry.lines.push(line);
      byReason.set(key, entry);
    },
    rows: () => [...byReason].map(([reason, entry]) => ({ reason, ...entry })),
  };
};
