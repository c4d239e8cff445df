import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { userInfo } from 'node:os';
import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { type Columns, columnsOf } from '../../core/formats/columns.ts';
import { CUSTOMER_COLUMNS, customerColumns } from '../../core/formats/customer-list.ts';
import { HISTORY_COLUMNS, historyColumns } from '../../core/formats/history-list.ts';
import { headOf } from '../../functions/jobs/import/import.ts';
import { call } from '../client/call.ts';
import { bar, progress } from '../terminal/progress.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { type Job, saveRefused, watch } from './jobs.ts';

export const importUsage = `hub import customers FILE [--consent-date DATE] [--consent-source TEXT] [--to-crms]
hub import interactions FILE [--from SYSTEM]

  --map COLUMN=FIELD   a column of the file by the name that the hub has for it; as often as needed
  --ignore COLUMN      a column that is left out; as often as needed
  --format csv|ndjson  where the name of the file does not say it
  --dry-run            judges every row and takes none

  --consent-date       when the people of the list gave their answers; without it an answer of the list can only make
                       what the hub knows stricter
  --consent-source     how they gave them, kept as evidence
  --to-crms            the CRMs get these customers at once, not with their first interaction
  --from               the system that the history is from, so that the ids of two systems are apart

Rows that are refused come back in FILE.refused.csv, with their line and the reason. HUB_URL and HUB_KEY say which hub,
and its API key.`;

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

const files: Readonly<Record<string, { readonly columns: Columns; readonly known: string }>> = {
  customers: { columns: customerColumns, known: CUSTOMER_COLUMNS },
  interactions: { columns: historyColumns, known: HISTORY_COLUMNS },
};

/** The options of the other kind of file. */
const foreigners: Readonly<Record<string, readonly (keyof typeof options)[]>> = {
  customers: ['from'],
  interactions: ['consent-date', 'consent-source', 'to-crms'],
};

/** `hub import …` against a running hub. The exit code is 1 where a row was refused. */
export const importCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [what = '', file, ...more] = positionals;
  const listing = files[what];
  if (listing === undefined || file === undefined || more.length > 0) {
    console.error(importUsage);
    return 2;
  }
  const foreign = foreigners[what]?.find((name) => values[name] !== undefined);
  if (foreign !== undefined) throw misuse(`hub import ${what} has no option --${foreign}.`);
  const format = formatOf(file, values.format);
  const layout = { map: mapOf(values.map ?? []), ignore: values.ignore ?? [] };
  const { size, changedAt } = await checkHead(file, format, (names) => {
    columnsOf(names, layout, listing.columns, listing.known);
  });
  const parameters = {
    ...{ format, file: basename(file).slice(0, 200), ...layout, dryRun: values['dry-run'] },
    ...(what === 'customers'
      ? {
          listedAt: changedAt,
          toCrms: values['to-crms'] === true,
          consent: { at: values['consent-date'], source: values['consent-source'] },
        }
      : { from: values.from }),
  };
  const asked = await call('POST', '/jobs', { kind: `import-${what}`, parameters, by: userInfo().username });
  const { id, upload } = Asked.parse(asked);
  try {
    await send(upload.url, file, size);
  } catch (error) {
    await call('POST', `/jobs/${id}/cancel`);
    throw error;
  }
  await call('POST', `/jobs/${id}/start`);
  return concluded(await watch(id), file, values['dry-run']);
};

const Asked = z.object({ id: z.string(), upload: z.object({ url: z.string() }) });

const misuse = (message: string): HubError => new HubError('misuse', message, { retry: 'never' });

const formatOf = (file: string, asked: string | undefined): 'csv' | 'ndjson' => {
  const found = asked ?? extname(file).slice(1).toLowerCase();
  if (['csv', 'tsv', 'txt'].includes(found)) return 'csv';
  if (['ndjson', 'jsonl'].includes(found)) return 'ndjson';
  throw misuse(`The name of ${file} does not say what it holds. Add --format csv or --format ndjson.`);
};

const mapOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at < 1) throw misuse(`--map expects COLUMN=FIELD, such as "E-mail address=email", not ${pair}.`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );

const HEAD_BYTES = 1_000_000;

/** What is wrong with the whole file is told before it is sent. */
const checkHead = async (
  file: string,
  format: 'csv' | 'ndjson',
  check: (names: readonly string[]) => void,
): Promise<{ size: number; changedAt: string }> => {
  const handle = await open(file).catch((error: unknown) => {
    throw misuse(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  try {
    const { size, mtime } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const { head } = headOf(buffer.subarray(0, bytesRead), size, format);
    if (head) check(head.names);
    return { size, changedAt: mtime.toISOString() };
  } finally {
    await handle.close();
  }
};

/** Streams the file to the address that the hub has signed. Throws `HubError` `upload-broken`. */
const send = async (url: string, file: string, size: number): Promise<void> => {
  const shown = progress();
  let sent = 0;
  const request = (url.startsWith('https:') ? https : http)(url, {
    method: 'PUT',
    headers: { 'content-length': size },
  });
  const interrupt = (): void => void request.destroy(new Error('it was interrupted'));
  process.once('SIGINT', interrupt);
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      Readable.from(response)
        .toArray()
        .then((chunks) => resolve({ status: response.statusCode ?? 0, text: chunks.join('') }), reject);
    });
  });
  try {
    const counted = async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        yield chunk;
        sent += chunk.length;
        shown.show(`${bar(sent / size)} ${megabytes(sent)} of ${megabytes(size)} MB sent`);
      }
    };
    const [{ status, text }] = await Promise.all([
      answered,
      pipeline(createReadStream(file, { end: size - 1 }), counted, request),
    ]);
    if (status !== 200)
      throw new Error(`S3 answered ${status} ${/<Code>([^<]*)/u.exec(text)?.[1] ?? ''}`.trim());
    shown.end(`${megabytes(size)} MB sent`);
  } catch (error) {
    shown.end(`broken off after ${megabytes(sent)} of ${megabytes(size)} MB`);
    throw new HubError(
      'upload-broken',
      `The upload broke off: ${error instanceof Error ? error.message : String(error)}. Nothing was imported. Run the command again.`,
      { retry: 'never', cause: error },
    );
  } finally {
    process.off('SIGINT', interrupt);
  }
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Tells how it ended and saves what was refused. */
const concluded = async (job: Job, file: string, dryRun: boolean): Promise<number> => {
  const { done, refused } = job.progress;
  if (job.error) console.error(`${job.error.code}: ${sanitize(job.error.reason)}`);
  console.log(
    `${done} rows ${dryRun ? 'can be taken' : 'taken'}, ${refused} refused${job.state === 'succeeded' ? '' : `; the job has ${job.state}`}`,
  );
  if (job.refused !== undefined) {
    const target = freeName(file);
    await saveRefused(job, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
    console.log(
      `The refused rows are in ${target}, each with its line and the reason. Mend them and import that file.`,
    );
  }
  return job.state === 'succeeded' && refused === 0 ? 0 : 1;
};

/** Beside the file, and never over what is there: it may have been mended. */
const freeName = (file: string): string => {
  const end = extname(file);
  const bare = end === '' ? file : file.slice(0, -end.length);
  for (let number = 1; ; number++) {
    const name = `${bare}.refused${number === 1 ? '' : `-${number}`}${end}`;
    if (!existsSync(name)) return name;
  }
};
