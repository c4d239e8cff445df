import { check, type Diagnostics, type VulnerableDiagnostics } from 'recheck';
import { shippedBlock } from '../../../core/identity/block-list.ts';
import { root } from '../../../infra/stack/bundle.ts';
import { collectExpressions, type Expression } from './collect.ts';

// Judges every regular expression of the code that reads what strangers write. One whose time grows faster than its text
// lets a single webhook, mail or query hold a function until its timeout.
const FOLDERS = ['core', 'connectors', 'mappings', 'functions', 'infra/local/api-gateway'];

const LONGEST_MS = 5_000;
/** Up to this many repetitions an expression is judged by proof; beyond it by trying attacks, which takes longer. */
const MOST_REPETITIONS = 60;

const ADVICE = `Begin it with ^, let neighbouring repetitions share no character ([^<>]* before <, not .*), put (?<![x]) before [x]+$,
limit a repetition ({0,40}), or use split, indexOf and slice instead.`;

const explain = (
  { file, line, source, flags }: Expression,
  { attack, complexity }: VulnerableDiagnostics,
): string =>
  `${file}:${line}: /${source}/${flags} takes ${complexity.summary} time, for example on ${attack.pattern}\n`;

const blockList = shippedBlock.patterns.map(
  (source): Expression => ({ file: 'core/identity/block-list.ts', line: 1, source, flags: 'u' }),
);
const found = [...collectExpressions(root, FOLDERS), ...blockList];
const verdicts = new Map<string, Diagnostics>();
const verdictOf = async (source: string, flags: string): Promise<Diagnostics> => {
  const key = `${flags} ${source}`;
  const verdict =
    verdicts.get(key) ??
    (await check(source, flags, { timeout: LONGEST_MS, maxRepeatCount: MOST_REPETITIONS }));
  verdicts.set(key, verdict);
  return verdict;
};

let slow = 0;
const unjudged: string[] = [];
for (const expression of found) {
  const { file, line, source, flags } = expression;
  if (source === undefined) {
    unjudged.push(`${file}:${line}: made at run time`);
    continue;
  }
  const verdict = await verdictOf(source, flags);
  if (verdict.status === 'unknown') unjudged.push(`${file}:${line}: ${verdict.error.kind}`);
  if (verdict.status !== 'vulnerable') continue;
  slow++;
  process.stderr.write(explain(expression, verdict));
}
process.stdout.write(
  `${found.length} regular expressions, ${slow} super-linear.${unjudged.length > 0 ? ` Not judged:\n${unjudged.join('\n')}` : ''}\n`,
);
if (slow > 0) process.stderr.write(`${ADVICE}\n`);
process.exitCode = slow > 0 ? 1 : 0;
