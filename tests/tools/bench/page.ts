import { availableParallelism } from 'node:os';
import { assumed, prices } from '../../../cli/deployment/cost/prices.ts';
import { goalText, type Measured, measuredText, verdictOf } from './measured.ts';

const counts: readonly string[] = ['no', 'one', 'two', 'three', 'four'];

/** `docs/numbers.md`, written by `npm run bench -- --write`. */
export const numbersPage = (numbers: readonly Measured[], costs: readonly string[]): string => {
  const cores = availableParallelism();
  const rows = numbers.map((number) => {
    const { name, timed = false } = number;
    const cells = [name, goalText(number), measuredText(number), verdictOf(number), timed ? 'time' : 'count'];
    return `| ${cells.join(' | ')} |`;
  });
  const { run, memoryGigabytes, logBytesPerRun } = assumed;
  const times = Object.entries(run).map(
    ([name, { baseMs, eachMs }]) => `${name} ${baseMs} ms${eachMs > 0 ? ` and ${eachMs} ms a message` : ''}`,
  );
  return `# Numbers

What was aimed at beside what was measured. This page is written by \`npm run bench -- --write\`, on ${new Date().toISOString().slice(0, 10)}, on a
machine with ${counts[cores] ?? cores} cores that other work shares; nothing in it was copied by hand. Counts are the same on every machine; times
are not, and a time that misses its goal does not fail the bench.

| number | goal | measured | | kind |
|---|---|---|---|---|
${rows.join('\n')}

An import is read here from a file that is made as it is read; \`npm run bench -- import --million\` takes a million rows.

ServiceNow (goal: 80 calls) has no connector yet. Nothing is found by searching: the connectors have no call for it.

## What a million interactions cost

A thousand messages of a hundred people went through the whole hub, with every trigger published and two CRMs connected;
requests, capacity units and batch sizes are as they were counted, without the second CRM. Prices are those of the list of
${prices.region}, ${prices.asOf} (\`cli/deployment/cost/prices.ts\`), without free tiers. How long a run takes in Lambda cannot be counted here and is
assumed, with ${memoryGigabytes * 1024} MB: ${times.join(', ')}; and ${logBytesPerRun} bytes of log a run. Messages sent and
what is stored are not in it, nor what an idle hub asks of its queues, nor the secrets,
which a warm function reads every five minutes.

\`\`\`
${costs.join('\n')}
\`\`\`

A running hub tells its own: \`npx hub cost\` (from CloudWatch), \`npx hub cost --local\` for \`npm start\`.
`;
};
