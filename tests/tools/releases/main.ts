import { parseArgs } from 'node:util';
import * as z from 'zod';
import { stages } from '../../../functions/contracts/stages/index.ts';
import { writeRelease } from '../../hub/releases/release.ts';
import { rowKindOf, rowKinds, rowSchemas } from '../../hub/releases/row-kinds.ts';
import { captureRelease } from './capture.ts';

const HELP = `npm run releases -- NAME

Runs stories through the hub of this working copy and stores what they leave behind as tests/hub/releases/stored/NAME: rows,
messages, timers, files, the records of the CRMs, and the schemas by which rows and messages are read. Run it once for each
release, on the commit of the release; a test loads every stored release into the hub of the day. It takes about a minute.`;

/** The kinds of rows that the stories do not leave behind. */
const main = async (name: string): Promise<number> => {
  const print = console.log.bind(console);
  const silent = (): void => {};
  Object.assign(console, { info: silent, warn: silent, error: silent });
  const release = await captureRelease();
  const schemas = [
    ...Object.entries(rowSchemas()).map(([kind, schema]) => ({ of: `row ${kind}`, schema })),
    ...Object.values(stages).map(({ id, schema }) => ({
      of: `message ${id}`,
      schema: z.toJSONSchema(schema, { io: 'input' }),
    })),
  ].map(({ of, schema }) => ({
    of,
    schema: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(schema))),
  }));
  writeRelease(name, { ...release, schemas });
  const found = new Set(release.rows.map(rowKindOf));
  const missing = rowKinds.filter((kind) => !found.has(kind));
  print(
    `Stored ${release.rows.length} rows of ${found.size} kinds, ${release.messages.length} messages of ${new Set(release.messages.map(({ queue }) => queue)).size} queues, ${release.schedules.length} timers and ${release.objects.length} files.`,
  );
  if (missing.length === 0) return 0;
  print(`The stories leave no row of: ${missing.join(', ')}. Extend tests/tools/releases/story.ts.`);
  return 1;
};

const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
const [name] = positionals;
if (values.help || name === undefined) console.log(HELP);
else process.exit(await main(name));
