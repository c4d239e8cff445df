import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import { compare, endpoint } from '../../infra/local/dynamodb/comparison/compare.ts';
import { LocalError } from '../../infra/local/protocol/errors.ts';
import { type ServiceName, serveStandalone, serviceNames } from '../../infra/local/runtime/standalone.ts';
import { openDatabase } from '../../infra/local/runtime/state.ts';
import { eventPatterns } from '../../infra/scenario/hub/event-patterns.ts';

const names = Object.keys(serviceNames);

const USAGE = `Usage: npm run local -- SERVICE… [--port N] [--file PATH]
       npm run local -- dynamodb --compare URL [--operations N] [--seed S]

Serves local AWS services on 127.0.0.1, without the hub.
Services: ${names.join(', ')} (eventbridge is another name for events).

  --port N        the port of all services (default: any free port)
  --file PATH     the SQLite file of the state (default: in memory)

  --compare URL   run random operations on the local DynamoDB and on the one at URL, and print the differences
  --operations N  the number of operations (default 2000)
  --seed S        the seed of the random operations (default 1)`;

const isService = (name: string): name is ServiceName => names.includes(name);

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
  const requested = [...new Set(positionals.map((name) => (name === 'eventbridge' ? 'events' : name)))];
  const unknown = requested.filter((name) => !isService(name));
  if (unknown.length > 0)
    throw new TypeError(`Unknown service ${unknown.join(', ')}. The services are ${names.join(', ')}.`);
  const number = (name: 'port' | 'operations' | 'seed', most: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new TypeError(
        `--${name} takes a whole number from 0 to ${most}, not ${JSON.stringify(values[name])}.`,
      );
    return value;
  };
  const services = requested.filter(isService);
  if (values.compare !== undefined && (services.length !== 1 || services[0] !== 'dynamodb'))
    throw new TypeError('--compare works with dynamodb alone: npm run local -- dynamodb --compare URL');
  if (values.compare !== undefined && !URL.canParse(values.compare))
    throw new TypeError(`--compare takes an address such as http://127.0.0.1:8000, not ${values.compare}.`);
  return {
    services,
    port: number('port', 65_535),
    file: values.file,
    help: values.help,
    compare: values.compare,
    operations: number('operations', 10_000_000),
    seed: number('seed', 4_294_967_295),
  };
};

const endpointVariable = (service: ServiceName, url: string): string =>
  `  export AWS_ENDPOINT_URL_${serviceNames[service]}=${url}`;

const world = () => ({
  clock: systemClock((error) => console.error(error instanceof Error ? error.message : error)),
  random: Math.random,
  newId: () => crypto.randomUUID(),
  patterns: eventPatterns,
});

const serve = async ({ services, port, file }: ReturnType<typeof parseOptions>): Promise<void> => {
  const db = openDatabase(file);
  try {
    const served = await serveStandalone(services, port, { db, ...world() });
    console.log(
      [
        `${services.join(', ')}: ${served.url} (${file === ':memory:' ? 'in memory' : file})`,
        'Set these variables for a client:',
        ...services.map((service) => endpointVariable(service, served.url)),
        '  export AWS_REGION=eu-south-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local',
        'Ctrl-C stops the services.',
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

const SHOWN_DIFFERENCES = 5;

/** Compares the local DynamoDB with the one at `url`. Returns the exit code: 1 where they differ. */
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
    for (const { operation, input, ours, theirs } of differences.slice(0, SHOWN_DIFFERENCES))
      console.log(
        `${operation} ${JSON.stringify(input)}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}\n`,
      );
    if (unknown.size > 0)
      console.log(`not compared, because the other side does not support them: ${[...unknown].join(', ')}`);
    console.log(`${operations} operations, ${differences.length} differ`);
    return differences.length > 0 ? 1 : 0;
  } finally {
    await served.stop();
    db.close();
  }
};

const main = async (args: readonly string[]): Promise<number> => {
  const options = parseOptions(args);
  if (options.help || options.services.length === 0) {
    (options.help ? console.log : console.error)(USAGE);
    return options.help ? 0 : 2;
  }
  if (options.compare !== undefined) return compareWith(options.compare, options);
  await serve(options);
  return 0;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const hasMessage = error instanceof TypeError || error instanceof LocalError;
  console.error(hasMessage ? error.message : error);
  process.exitCode = hasMessage ? 2 : 1;
}
