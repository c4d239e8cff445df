import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';

const folder = join(import.meta.dirname, 'stored');

export const Schedule = z.looseObject({
  Name: z.string(),
  GroupName: z.string(),
  ScheduleExpression: z.string(),
  Target: z.looseObject({ Arn: z.string(), Input: z.string() }),
});

/** A record of a sandbox CRM. */
export const CrmRecord = z.object({
  crm: z.string(),
  object: z.string(),
  id: z.string(),
  fields: z.string(),
});

/** What a release leaves behind: its rows, messages, timers and files, what the CRMs hold, and how it reads rows and messages. */
const shapes = {
  rows: z.looseObject({ pk: z.string(), sk: z.string() }),
  /** `queue`: its logical id in the template. */
  messages: z.object({ queue: z.string(), body: z.string() }),
  schedules: Schedule,
  /** `body`: gzipped and in base64. */
  objects: z.object({ key: z.string(), body: z.string() }),
  records: CrmRecord,
  /** JSON Schemas of the kinds of rows (`row profile`) and of the messages of the stages (`message record`). */
  schemas: z.object({ of: z.string(), schema: z.record(z.string(), z.json()) }),
};
type Parts = { readonly [Part in keyof typeof shapes]: readonly z.infer<(typeof shapes)[Part]>[] };
/** `at`: when it was stored, in epoch milliseconds. */
export type Release = Parts & { readonly at: number };

export const storedReleases = (): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

const read = <Part extends keyof Parts>(release: string, part: Part): unknown[] =>
  readFileSync(join(folder, release, `${part}.ndjson`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

export const readRelease = (release: string): Release => ({
  at: z
    .object({ at: z.number() })
    .parse(JSON.parse(readFileSync(join(folder, release, 'release.json'), 'utf8'))).at,
  rows: z.array(shapes.rows).parse(read(release, 'rows')),
  messages: z.array(shapes.messages).parse(read(release, 'messages')),
  schedules: z.array(shapes.schedules).parse(read(release, 'schedules')),
  objects: z.array(shapes.objects).parse(read(release, 'objects')),
  records: z.array(shapes.records).parse(read(release, 'records')),
  schemas: z.array(shapes.schemas).parse(read(release, 'schemas')),
});

export const writeRelease = (release: string, { at, ...parts }: Release): void => {
  const path = join(folder, release);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'release.json'), `${JSON.stringify({ at })}\n`);
  for (const [part, values] of Object.entries(parts))
    writeFileSync(join(path, `${part}.ndjson`), values.map((one) => `${JSON.stringify(one)}\n`).join(''));
};

export const packed = (bytes: Uint8Array): string => gzipSync(bytes).toString('base64');
export const unpacked = (body: string): Buffer => gunzipSync(Buffer.from(body, 'base64'));
