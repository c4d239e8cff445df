import { matches, parsePattern } from '../../../core/triggers/pattern/index.ts';
import { readPatternCases } from '../../support/patterns/cases.ts';
import { type Graded, gradeFolders } from './run.ts';

/** Event patterns with the verdicts of AWS's own matcher. */
const gradePatterns = (file: string): Graded[] =>
  readPatternCases(file).map(({ name, pattern, event, matches: expected, valid }) => {
    try {
      const parsed = parsePattern(pattern);
      if (valid === false)
        return { file: name, differences: ['expected the pattern to be refused, and it was taken'] };
      if (expected === undefined || event === undefined) return { file: name, differences: [] };
      const found = matches(parsed, event);
      return { file: name, differences: found === expected ? [] : [`expected ${expected}, found ${found}`] };
    } catch (error) {
      return {
        file: name,
        differences: valid === false ? [] : [error instanceof Error ? error.message : String(error)],
      };
    }
  });

const HELP = `npm run --silent conformance -- [DIR…]
npm run --silent conformance -- --eventbridge FILE…

Sends every recorded webhook below the folders (default: tests/fixtures) through verification and normalisation and compares
the answer and the interactions, with who vouches for their identifiers, with those expected. With --eventbridge, compares event patterns with the verdicts of AWS. Exits with 1 if
anything differs.`;

const fixtures = new URL('../../fixtures', import.meta.url).pathname;

const main = async (args: readonly string[]): Promise<number> => {
  if (args[0] === '--help') {
    console.log(HELP);
    return 0;
  }
  const graded =
    args[0] === '--eventbridge'
      ? args.slice(1).flatMap(gradePatterns)
      : await gradeFolders(args.length > 0 ? args : [fixtures]);
  for (const { file, differences } of graded)
    for (const difference of differences) console.log(`${file}: ${difference}`);
  const failed = graded.filter(({ differences }) => differences.length > 0).length;
  console.log(`${graded.length - failed} passed, ${failed} failed`);
  return failed > 0 || graded.length === 0 ? 1 : 0;
};

process.exitCode = await main(process.argv.slice(2));
