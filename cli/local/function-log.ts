import * as z from 'zod';
import { sanitize } from '../terminal/sanitize.ts';

/** How many lines are kept for the case that something fails. */
const KEPT_LINES = 2000;

/** What the hub and its functions log while `npm start` runs. */
export interface FunctionLog {
  /** Takes a line; what the process itself says has no JSON. */
  readonly report: (line: string) => void;
  /** From now on a refused webhook and an error are printed when they happen. */
  watch(): void;
  /** Prints the kept lines to stderr, if they were not printed already. */
  dump(): void;
}

const LogLine = z.looseObject({ level: z.string(), code: z.string() });
const Refusal = z.object({
  code: z.literal('refused-delivery'),
  provider: z.string(),
  status: z.number(),
  reason: z.string(),
});

/** `isPrinting`: whether every line is printed at once. */
export const functionLog = (isPrinting: boolean): FunctionLog => {
  const kept: string[] = [];
  let isWatched = false;
  return {
    report(line) {
      if (isPrinting) {
        console.log(line);
        return;
      }
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
      const shown = isWatched ? shownLine(line) : undefined;
      if (shown !== undefined) console.error(shown);
    },
    watch() {
      isWatched = true;
    },
    dump() {
      for (const line of kept.splice(0)) console.error(line);
    },
  };
};

/** A line as a person at the terminal needs it; undefined where it can be left out. */
const shownLine = (line: string): string | undefined => {
  const json = parsed(line.slice(line.indexOf('{')));
  const refusal = Refusal.safeParse(json);
  if (refusal.success) {
    const { provider, status, reason } = refusal.data;
    return `refused (${status})  ${sanitize(provider)}: ${sanitize(reason)}`;
  }
  const { level, code } = LogLine.safeParse(json).data ?? {};
  return level === 'error' || code === undefined ? sanitize(line) : undefined;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
