import { parseArgs } from 'node:util';
import { compareEngines, judgeVerdicts } from './comparison.ts';
import { expectJava, MissingError, startEngine } from './engine.ts';
import { runStories } from './stories.ts';
import { runTests } from './tests.ts';

const HELP = `npm run foreign-dynamodb -- [OPTIONS]

Runs the hub on AWS's own DynamoDB engine (DynamoDB Local, fetched once into .hub, in memory): the verdicts on requests that the
local DynamoDB is held to, random operations on both engines, every scenario, and the tests that reach the table over its
protocol. Exits with 1 if anything fails, and with 3 if Java or the engine is missing.

  --seconds N      stop beginning scenarios after so many seconds, and run no tests (default: no limit)
  --operations N   random operations (default 2000)
  --seed N         their seed, and that of the order of the scenarios (default: the day)`;

const DAY_MS = 86_400_000;

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      operations: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Math.floor(Date.now() / DAY_MS)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const until = values.seconds === undefined ? undefined : Date.now() + Number(values.seconds) * 1000;
  const seed = Number(values.seed);
  expectJava();
  const engine = await startEngine();
  process.env['FOREIGN_DYNAMODB'] = engine.url;
  try {
    const verdicts = await judgeVerdicts(engine.url);
    console.log(`verdicts ${verdicts.passed} of ${verdicts.total}`);
    const compared = await compareEngines(engine.url, { operations: Number(values.operations), seed });
    console.log(`operations ${compared.passed} of ${compared.total} alike, seed ${seed}`);
    const stories = await runStories({ until, seed });
    const tests = until === undefined ? await runTests(engine.url) : { passed: 0, total: 0, lines: [] };
    const all = [verdicts, compared, stories, tests];
    for (const { lines } of all) for (const line of lines) console.log(line);
    console.log(
      `scenarios ${stories.passed} of ${stories.total}, tests ${until === undefined ? `${tests.passed} of ${tests.total}` : 'not run'}`,
    );
    return all.every(({ passed, total }) => passed === total) ? 0 : 1;
  } finally {
    engine.stop();
  }
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof MissingError)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
