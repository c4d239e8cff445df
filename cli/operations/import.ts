import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { HubError } from '../../core/errors.ts';
import { readFileHead } from '../../core/formats/file-head.ts';
import { type Columns, columnsOf } from '../../core/formats/lists/columns.ts';
import { CUSTOMER_COLUMNS, customerColumns } from '../../core/formats/lists/customer-list.ts';
import { HISTORY_COLUMNS, historyColumns } from '../../core/formats/lists/history-list.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { cancelJob, createFileJob, type Job, startJob } from '../client/jobs.ts';
import type { HubConnection } from '../client/request.ts';
import { CONNECTION_HELP } from '../command.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { newFile } from '../terminal/new-file.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { uploadFile } from './upload.ts';
import { printFailure, saveRefusedRows, watchJob } from './watch-job.ts';

export const usage = `Usage: hub import customers FILE [--consent-date DATE] [--consent-source TEXT] [--to-crms] [OPTIONS]
       hub import interactions FILE [--from SYSTEM] [OPTIONS]

Imports a CSV or NDJSON file. Rows that were refused, or taken without one of their values, are saved in FILE.refused.csv with
their line and the reason; correct them and import that file. The exit code is 1 where a row was refused.

  --map COLUMN=FIELD     the field of the hub that a column fills; may be repeated
  --ignore COLUMN        skip a column; may be repeated
  --format csv|ndjson    the format, where the name of the file does not show it
  --dry-run              validate every row without importing

For customers:
  --consent-date DATE    when the people gave the consent in the file; without it an answer of the file can only make the
                         consent that the hub has stored stricter
  --consent-source TEXT  how they gave it, stored as evidence
  --to-crms              write these customers to the CRMs at once, not with their first interaction

For interactions:
  --from SYSTEM          the system that the file was exported from; keeps the ids of two systems apart

${CONNECTION_HELP}`;

const options = {
  map: { type: 'string', multiple: true },
  ignore: { type: 'string', multiple: true },
  format: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  'consent-date': { type: 'string' },
  'consent-source': { type: 'string' },
  'to-crms': { type: 'boolean' },
  from: { type: 'string' },
} as const;

interface FileKind {
  readonly columns: Columns;
  /** The names of all columns, for error messages. */
  readonly known: string;
  /** Options that only the other kind of file has. */
  readonly foreignOptions: readonly (keyof typeof options)[];
}

const fileKinds: Readonly<Record<string, FileKind>> = {
  customers: { columns: customerColumns, known: CUSTOMER_COLUMNS, foreignOptions: ['from'] },
  interactions: {
    columns: historyColumns,
    known: HISTORY_COLUMNS,
    foreignOptions: ['consent-date', 'consent-source', 'to-crms'],
  },
};

/** `hub import …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [name = '', file, ...more] = positionals;
  const kind = fileKinds[name];
  if (kind === undefined || file === undefined || more.length > 0) {
    console.error(usage);
    return 2;
  }
  const foreign = kind.foreignOptions.find((option) => values[option] !== undefined);
  if (foreign !== undefined) throw badArguments(`hub import ${name} has no option --${foreign}.`);
  const format = formatOf(file, values.format);
  const layout = { map: columnMap(values.map ?? []), ignore: values.ignore ?? [] };
  const { size, changedAt } = await checkHead(file, format, (names) => {
    columnsOf(names, layout, kind.columns, kind.known);
  });
  const parameters = {
    ...{ format, file: basename(file).slice(0, 200), ...layout, dryRun: values['dry-run'] },
    ...(name === 'customers'
      ? {
          listedAt: changedAt,
          toCrms: values['to-crms'] === true,
          consent: { at: values['consent-date'], source: values['consent-source'] },
        }
      : { from: values.from }),
  };
  const hub = hubOfEnvironment();
  const job = await createFileJob(hub, { kind: `import-${name}`, parameters, by: currentUser() });
  try {
    await uploadFile(job.upload.url, file, size);
  } catch (error) {
    await cancelJob(hub, job.id);
    throw error;
  }
  await startJob(hub, job.id);
  return reportResult(hub, await watchJob(hub, job.id), file, values['dry-run']);
};

const formatOf = (file: string, option: string | undefined): 'csv' | 'ndjson' => {
  const format = option ?? extname(file).slice(1).toLowerCase();
  if (['csv', 'tsv', 'txt'].includes(format)) return 'csv';
  if (['ndjson', 'jsonl'].includes(format)) return 'ndjson';
  throw badArguments(`The name of ${file} does not show its format. Add --format csv or --format ndjson.`);
};

const columnMap = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at < 1)
        throw badArguments(`--map expects COLUMN=FIELD, such as "E-mail address=email", not ${pair}.`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );

const HEAD_BYTES = 1_000_000;

/** Validates the encoding and the header of a file before it is uploaded. `check` gets the names of its columns. */
const checkHead = async (
  file: string,
  format: 'csv' | 'ndjson',
  check: (names: readonly string[]) => void,
): Promise<{ size: number; changedAt: string }> => {
  const handle = await open(file).catch((error: unknown) => {
    throw new HubError(
      'unreadable-file',
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { retry: 'never' },
    );
  });
  try {
    const { size, mtime } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const { head } = readFileHead(buffer.subarray(0, bytesRead), size, format);
    if (head) check(head.names);
    return { size, changedAt: mtime.toISOString() };
  } finally {
    await handle.close();
  }
};

/** Prints how many rows were imported and saves the reported ones. Returns the exit code. */
const reportResult = async (hub: HubConnection, job: Job, file: string, dryRun: boolean): Promise<number> => {
  printFailure(job);
  for (const line of summaryLines(job, dryRun)) console.log(line);
  if (job.refused !== undefined) {
    const target = refusedFileName(file);
    await saveRefusedRows(hub, job, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
    console.log(
      `Saved these rows in ${target}, each with its line and the reason. Correct them and import that file.`,
    );
  }
  return job.state === 'succeeded' && job.progress.refused === 0 ? 0 : 1;
};

/** How many rows were taken, taken in part and refused, and below them each reason with its first lines. */
const summaryLines = ({ progress, state }: Job, dryRun: boolean): string[] => {
  const { done, refused, incomplete = 0, reported = [] } = progress;
  const partly = incomplete > 0 ? ` (${incomplete} without all their values)` : '';
  const stopped = state === 'succeeded' ? '' : `; the job has the state ${state}`;
  return [
    `${done} rows ${dryRun ? 'valid' : 'imported'}${partly}, ${refused} refused${stopped}`,
    ...reported.map(({ reason, rows, lines }) => {
      const more = rows > lines.length ? ', …' : '';
      return `  ${rows} ${sanitize(reason)} (${rows === 1 ? 'line' : 'lines'} ${lines.join(', ')}${more})`;
    }),
  ];
};

/** `people.refused.csv` for `people.csv`. */
const refusedFileName = (file: string): string => {
  const end = extname(file);
  const bare = end === '' ? file : file.slice(0, -end.length);
  return newFile(undefined, `${bare}.refused${end}`);
};
