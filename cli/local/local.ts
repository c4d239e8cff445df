import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import { compare, endpoint } from '../../infra/local/dynamodb/comparison/compare.ts';
import { LocalError } from '../../infra/local/protocol/errors.ts';
import { type ServiceName, serveStandalone, serviceNames } from '../../infra/local/runtime/standalone.ts';
import { eventPatterns } from '../../infra/scenario/hub/event-patterns.ts';

const names = Object.keys(serviceNames);

const HELP = `npm run local -- PART… [OPTIONS]

Serves parts of the local AWS alone, on 127.0.0.1, over their own protocols. Without a file they keep nothing.
Parts: ${names.join(', ')} (eventbridge is another name for events).

  --port N        where they listen (default: any free port)
  --file PATH     a SQLite file that keeps the state (default: memory)

  --compare URL   instead: runs random operations on this DynamoDB and on the one at URL, and prints where they differ
  --operations N  how many (default 2000)
  --seed S        which ones (default 1)`;

const isPart = (name: string): name is ServiceName => names.includes(name);

const parseOptions = (args: readonly string[]) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      file: { type: 'string', default: ':memory:' },
      compare: { type: 'string' },
      operations: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
    allowPositionals: true,
  });
  const asked = [...new Set(positionals.map((name) => (name === 'eventbridge' ? 'events' : name)))];
  const unknown = asked.filter((name) => !isPart(name));
  if (unknown.length > 0)
    throw new TypeError(`There is no part ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  const number = (name: 'port' | 'operations' | 'seed', most: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new TypeError(
        `--${name} takes a whole number from 0 to ${most}, not ${JSON.stringify(values[name])}.`,
      );
    return value;
  };
  const parts = asked.filter(isPart);
  if (values.compare !== undefined && (parts.length !== 1 || parts[0] !== 'dynamodb'))
    throw new TypeError('Only dynamodb can be compared: npm run local -- dynamodb --compare URL');
  if (values.compare !== undefined && !URL.canParse(values.compare))
    throw new TypeError(`--compare takes an address such as http://127.0.0.1:8000, not ${values.compare}.`);
  return {
    parts,
    port: number('port', 65_535),
    file: values.file,
    help: values.help,
    compare: values.compare,
    operations: number('operations', 10_000_000),
    seed: number('seed', 4_294_967_295),
  };
};

/** Opens the state; throws a sentence where the file cannot be one. */
const openState = (file: string): DatabaseSync => {
  try {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
    return db;
  } catch (error) {
    throw new TypeError(
      `${file} cannot be opened as a SQLite file: ${error instanceof Error ? error.message : error}`,
    );
  }
};

const example = (part: ServiceName, url: string): string =>
  `  export AWS_ENDPOINT_URL_${serviceNames[part]}=${url}`;

const world = () => ({
  clock: systemClock((error) => console.error(error instanceof Error ? error.message : error)),
  random: Math.random,
  newId: () => crypto.randomUUID(),
  patterns: eventPatterns,
});

const serve = async ({ parts, port, file }: ReturnType<typeof parseOptions>): Promise<void> => {
  const db = openState(file);
  try {
    const served = await serveStandalone(parts, port, {
      db,
      ...world(),
    });
    console.log(
      [
        `${parts.join(', ')}: ${served.url} (${file === ':memory:' ? 'in memory' : file})`,
        'Point a client there:',
        ...parts.map((part) => example(part, served.url)),
        '  export AWS_REGION=eu-south-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local',
        'Ctrl-C ends it.',
      ].join('\n'),
    );
    await new Promise<void>((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
    });
    await served.stop();
  } finally {
    db.close();
  }
};

const SHOWN = 5;

/** Compares the local DynamoDB, in memory, with another; 1 where they differ. */
const compareWith = async (
  url: string,
  { operations, seed }: ReturnType<typeof parseOptions>,
): Promise<number> => {
  const db = new DatabaseSync(':memory:');
  const served = await serveStandalone(['dynamodb'], 0, { db, ...world() });
  try {
    const { differences, unknown } = await compare(endpoint(served.url, {}), endpoint(url, process.env), {
      operations,
      seed,
    });
    for (const { operation, input, ours, theirs } of differences.slice(0, SHOWN))
      console.log(
        `${operation} ${JSON.stringify(input)}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}\n`,
      );
    if (unknown.size > 0) console.log(`not known there, so not compared: ${[...unknown].join(', ')}`);
    console.log(`${operations} operations, ${differences.length} differ`);
    return differences.length > 0 ? 1 : 0;
  } finally {
    await served.stop();
    db.close();
  }
};

const main = async (args: readonly string[]): Promise<number> => {
  const options = parseOptions(args);
  if (options.help || options.parts.length === 0) {
    (options.help ? console.log : console.error)(HELP);
    return options.help ? 0 : 2;
  }
  if (options.compare !== undefined) return compareWith(options.compare, options);
  await serve(options);
  return 0;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const plain = error instanceof TypeError || error instanceof LocalError;
  const misused = error instanceof TypeError || (error instanceof LocalError && error.code === 'port-taken');
  console.error(plain ? error.message : error);
  process.exitCode = misused ? 2 : 1;
}
