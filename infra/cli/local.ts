import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import { HubError } from '../../core/errors.ts';
import { type PartName, partNames, serveParts } from '../local/parts.ts';

const names = Object.keys(partNames);

const HELP = `npm run local -- PART… [OPTIONS]

Serves parts of the local AWS alone, on 127.0.0.1, over their own protocols. Without a file they keep nothing.
Parts: ${names.join(', ')} (eventbridge is another name for events).

  --port N     where they listen (default: any free port)
  --file PATH  a SQLite file that keeps the state (default: memory)`;

const isPart = (name: string): name is PartName => names.includes(name);

const parseOptions = (args: readonly string[]) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      file: { type: 'string', default: ':memory:' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
    allowPositionals: true,
  });
  const asked = [...new Set(positionals.map((name) => (name === 'eventbridge' ? 'events' : name)))];
  const unknown = asked.filter((name) => !isPart(name));
  if (unknown.length > 0)
    throw new TypeError(`There is no part ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TypeError(`--port takes a number from 0 to 65535, not ${JSON.stringify(values.port)}.`);
  return { parts: asked.filter(isPart), port, file: values.file, help: values.help };
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

const example = (part: PartName, url: string): string =>
  `  export AWS_ENDPOINT_URL_${partNames[part]}=${url}`;

const serve = async ({ parts, port, file }: ReturnType<typeof parseOptions>): Promise<void> => {
  const db = openState(file);
  try {
    const served = await serveParts(parts, port, {
      db,
      clock: systemClock((error) => console.error(error instanceof Error ? error.message : error)),
      random: Math.random,
      newId: () => crypto.randomUUID(),
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
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new TypeError(
        `Port ${port} of 127.0.0.1 is taken. Choose another with --port, or end what listens there.`,
      );
    throw error;
  } finally {
    db.close();
  }
};

const main = async (args: readonly string[]): Promise<number> => {
  const options = parseOptions(args);
  if (options.help || options.parts.length === 0) {
    (options.help ? console.log : console.error)(HELP);
    return options.help ? 0 : 2;
  }
  await serve(options);
  return 0;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const plain = error instanceof TypeError || error instanceof HubError;
  console.error(plain ? error.message : error);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
