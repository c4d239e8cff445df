import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import { Attachment } from '../../core/interaction/interaction.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import type { Multipart } from '../aws/clients/multipart.ts';
import type { Objects } from '../aws/clients/objects.ts';
import { type Job, resultKey } from '../contracts/jobs/job.ts';
import { type ExportParameters, exportKind } from '../contracts/jobs/kinds.ts';
import { profilePartition } from '../contracts/keys.ts';
import type { History } from '../contracts/ports/history.ts';
import type { Row } from '../contracts/rows/row.ts';

export interface ExportPorts {
  readonly table: Pick<Table, 'query'>;
  readonly history: Pick<History, 'customer'>;
  readonly objects: Pick<Objects, 'read'>;
  readonly files: Multipart;
}

const Checkpoint = z.strictObject({
  /** The parts of the file that are written. */
  upload: z.string().optional(),
  etags: z.array(z.string()),
  /** The half, by its place in the person, and the row behind which the next part goes on. */
  profilePosition: z.int().nonnegative(),
  after: z.string(),
  records: z.int().nonnegative(),
});
type Checkpoint = z.infer<typeof Checkpoint>;

/** S3 takes parts from 5 MiB on. */
const PART_BYTES = 8 * 1024 * 1024;
/** Larger files than this are named and left out, so that memory does not grow with them. */
const LARGEST_FILE_BYTES = 40 * 1024 * 1024;

/** What each kind of row is called, by the beginning of its key. */
const types: Readonly<Record<string, string>> = {
  at: 'interaction',
  profile: 'profile',
  activity: 'activity',
  notification: 'notification',
  consent: 'consent',
  merge: 'merge',
  split: 'split',
  sync: 'crm',
  limits: 'limits',
  command: 'command',
};

/**
 * Everything that the hub holds of a person as one JSON document, attachments in base64 among it. Written part by part:
 * a slice holds one part and one file, however much there is.
 */
export const exportJob = (ports: ExportPorts): Job<ExportParameters, Checkpoint> => ({
  ...exportKind,
  checkpoint: Checkpoint,
  start: async () => ({ checkpoint: { etags: [], profilePosition: 0, after: '', records: 0 } }),
  async slice({ job, parameters, checkpoint, timeLeft, startedAt }) {
    const customer = await ports.history.customer(parameters.profileId);
    if (customer === undefined)
      throw new HubError('unknown-customer', 'The customer is gone: erased since the export was asked for.', {
        retry: 'never',
      });
    const key = resultKey(job);
    let now = checkpoint;
    let chunks: Buffer[] = [];
    let size = 0;
    let done = 0;
    for await (const { text, profilePosition, after, records } of documentOf(
      ports,
      customer,
      startedAt,
      checkpoint,
    )) {
      const chunk = Buffer.from(text);
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size < PART_BYTES) continue;
      const upload = now.upload ?? (await ports.files.begin(key));
      const etag = await ports.files.part(key, upload, now.etags.length + 1, Buffer.concat(chunks));
      done += records - now.records;
      now = { upload, etags: [...now.etags, etag], profilePosition, after, records };
      [chunks, size] = [[], 0];
      if (!timeLeft()) return { checkpoint: now, done, finished: false };
    }
    const last = Buffer.concat([...chunks, Buffer.from('\n]}\n')]);
    const { upload, etags } = now;
    if (upload === undefined) await ports.files.put(key, last);
    else {
      const etag = await ports.files.part(key, upload, etags.length + 1, last);
      await ports.files.complete(key, upload, [...etags, etag]);
    }
    return { checkpoint: now, done: done + 1, finished: true, result: true };
  },
});

interface Piece extends Pick<Checkpoint, 'profilePosition' | 'after' | 'records'> {
  readonly text: string;
}

async function* documentOf(
  { table, objects }: ExportPorts,
  customer: Customer,
  exportedAt: string,
  from: Checkpoint,
): AsyncGenerator<Piece> {
  let { records } = from;
  if (from.etags.length === 0) {
    const { sourceProfiles, ...folded } = customer;
    const head = {
      format: 'tributary-export-1',
      exportedAt,
      customer: folded,
      profileIds: sourceProfiles.map(({ profile }) => profile.id),
    };
    yield { text: `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "records": [`, ...from };
  }
  for (const [profilePosition, { profile }] of customer.sourceProfiles.entries()) {
    if (profilePosition < from.profilePosition) continue;
    const after = profilePosition === from.profilePosition ? from.after : '';
    // Nothing sorts between a key and the same key with a space behind it.
    for await (const row of table.query(profilePartition(profile.id), { from: `${after} `, to: '~' })) {
      const record = JSON.stringify(await recordOf(row, profile.id, objects));
      yield {
        text: `${records === 0 ? '' : ','}\n${record}`,
        profilePosition,
        after: row.sk,
        records: records + 1,
      };
      records++;
    }
  }
}

const recordOf = async (
  { pk: _, sk, expiresAt: __, ...row }: Row,
  profileId: string,
  objects: ExportPorts['objects'],
): Promise<object> => {
  const type = types[sk.split('#')[0] ?? ''] ?? sk.split('#')[0];
  const files = z.array(Attachment).safeParse(row['attachments']).data ?? [];
  const attachments = [];
  for (const file of files)
    attachments.push(
      file.key === undefined ? file : { ...file, content: await contentOf(file.key, objects) },
    );
  return { type, profileId, ...row, ...(attachments.length > 0 && { attachments }) };
};

/** In base64; null where the file has not come, or is larger than an export takes. */
const contentOf = async (key: string, objects: ExportPorts['objects']): Promise<string | null> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (await objects.read(key)) ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_FILE_BYTES) return null;
    chunks.push(chunk);
  }
  return chunks.length === 0 ? null : Buffer.concat(chunks).toString('base64');
};
