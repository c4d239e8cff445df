import { readFileSync } from 'node:fs';
import * as z from 'zod';

const PatternCase = z.looseObject({
  name: z.string(),
  pattern: z.json(),
  event: z.looseObject({}).optional(),
  matches: z.boolean().optional(),
  valid: z.boolean().optional(),
});
type PatternCase = z.infer<typeof PatternCase>;

/** The event patterns of a file with AWS's verdicts: whether an event matches, or `valid: false` for a pattern that is refused. */
export const readPatternCases = (file: string | URL): PatternCase[] =>
  z.array(PatternCase).parse(JSON.parse(readFileSync(file, 'utf8')));

/** Patterns judged by github.com/aws/event-ruler at 337e8d9. */
export const ruledPatterns = (): PatternCase[] =>
  readPatternCases(new URL('event-ruler.json', import.meta.url));
