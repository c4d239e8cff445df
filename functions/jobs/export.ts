import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import { Attachment } from '../../core/interaction/interaction.ts';
import type { Bucket } from '../aws/clients/bucket.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import type { Claims } from '../aws/erasure/claims.ts';
import { type Job, resultKey } from '../contracts/jobs/job.ts';
import { type ExportParameters, exportKind } from '../contracts/jobs/kinds.ts';
import { profilePartition } from '../contracts/keys.ts';
import type { History } from '../contracts/ports/history.ts';
import type { Row } from '../contracts/rows/row.ts';
import { othersMasked } from './others-masked.ts';

export interface ExportPorts {
  readonly claims: Pick<Claims, 'claimants' | 'ownersOf' | 'goesWith'>;
  readonly table: Pick<Table, 'get' | 'query'>;
  readonly history: Pick<History, 'customer'>;
  readonly bucket: Pick<Bucket, 'open' | 'put' | 'beginUpload' | 'uploadPart' | 'completeUpload'>;
}

const Checkpoint = z.strictObject({
  /** The multipart upload, and the ETags of its parts so far; absent before the first part. */
  upload: z.string().optional(),
  etags: z.array(z.string()),
  /** The source profiles whose rows are written, by id: a merge or an unmerge during the export shifts nothing. */
  exported: z.array(z.string()),
  /** The source profile at work and the sort key of its last row that is written. */
  profileId: z.string().optional(),
  after: z.string(),
  /** Rows so far. */
  records: z.int().nonnegative(),
});
type Checkpoint = z.infer<typeof Checkpoint>;

const JSON_TYPE = 'application/json';
/** S3 takes parts from 5 MiB on. */
const PART_BYTES = 8 * 1024 * 1024;
/** The content of larger files is left out, so that memory does not grow with them. */
const LARGEST_FILE_BYTES = 40 * 1024 * 1024;

/** The name of each kind of row in the document, by the first part of its sort key. */
const recordTypes: Readonly<Record<string, string>> = {
  at: 'interaction',
  profile: 'profile',
  activity: 'activity',
  notification: 'notification',
  consent: 'consent',
  merge: 'merge',
  split: 'split',
  confirmed: 'confirmation',
  reopened: 'reopening',
  sync: 'crm',
  limits: 'limits',
  member: 'audience',
  command: 'command',
};

/**
 * Exports everything that the hub stores about a customer and the guests that go with it as one JSON document, attachments
 * in base64 among it; identifiers that other people own are masked. Written as a multipart upload: memory holds one part
 * and one attachment, whatever the size of the document. Throws `HubError` `unknown-customer` (never) where the customer
 * was erased since, and `claims-of-another` (never) for a guest that claims what a person owns.
 */
export const exportJob = (ports: ExportPorts): Job<ExportParameters, Checkpoint> => ({
  ...exportKind,
  checkpoint: Checkpoint,
  start: async () => ({ checkpoint: { etags: [], exported: [], after: '', records: 0 } }),
  async slice({ job, parameters, checkpoint, timeLeft, startedAt }) {
    const customer = await ports.history.customer(parameters.profileId);
    if (customer === undefined)
      throw new HubError('unknown-customer', 'The customer was erased after the export was requested.', {
        retry: 'never',
      });
    const subjects = await subjectsOf(ports, customer);
    const key = resultKey(job);
    let now = checkpoint;
    let chunks: Buffer[] = [];
    let size = 0;
    let done = 0;
    for await (const { text, ...place } of documentOf(ports, subjects, startedAt, checkpoint)) {
      const chunk = Buffer.from(text);
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size < PART_BYTES) continue;
      const upload = now.upload ?? (await ports.bucket.beginUpload(key, JSON_TYPE));
      const etag = await ports.bucket.uploadPart(key, upload, now.etags.length + 1, Buffer.concat(chunks));
      done += place.records - now.records;
      now = { upload, etags: [...now.etags, etag], ...place };
      [chunks, size] = [[], 0];
      if (!timeLeft()) return { checkpoint: now, done, finished: false };
    }
    const last = Buffer.concat([...chunks, Buffer.from('\n]}\n')]);
    const { upload, etags } = now;
    if (upload === undefined) await ports.bucket.put(key, last, JSON_TYPE);
    else {
      const etag = await ports.bucket.uploadPart(key, upload, etags.length + 1, last);
      await ports.bucket.completeUpload(key, upload, [...etags, etag]);
    }
    return { checkpoint: now, done: done + 1, finished: true, result: true };
  },
});

/** A part of the document's text, and the place behind it. */
interface DocumentPart extends Pick<Checkpoint, 'exported' | 'profileId' | 'after' | 'records'> {
  readonly text: string;
}

/** The customer who asks, and the guests that go with it. */
interface Subjects {
  readonly customer: Customer;
  readonly guests: readonly Customer[];
}

const subjectsOf = async ({ claims, history }: ExportPorts, customer: Customer): Promise<Subjects> => {
  if (customer.guest) {
    if ((await claims.ownersOf(customer)).size > 0) throw claimsOfAnother();
    return { customer, guests: [] };
  }
  const guests = new Map<string, Customer>();
  for (const identifier of customer.identifiers)
    for await (const id of claims.claimants(identifier)) {
      const guest = guests.has(id) ? undefined : await history.customer(id);
      if (guest?.guest && (await claims.goesWith(guest, customer))) guests.set(guest.id, guest);
    }
  return { customer, guests: [...guests.values()] };
};

const claimsOfAnother = (): HubError =>
  new HubError(
    'claims-of-another',
    'The customer is a guest that also claims an identifier which a person owns, so nobody knows whose words these are. Export the person by an identifier that they own, or confirm or split the guest first.',
    { retry: 'never' },
  );

async function* documentOf(
  { table, bucket }: ExportPorts,
  { customer, guests }: Subjects,
  exportedAt: string,
  from: Checkpoint,
): AsyncGenerator<DocumentPart> {
  let { exported, records } = from;
  const profileIds = [customer, ...guests].flatMap(profileIdsOf);
  const withoutOthers = othersMasked(table, new Set(profileIds), customer);
  if (from.etags.length === 0) {
    const { sourceProfiles: _, ...folded } = customer;
    const head = {
      ...{ format: 'tributary-export-1', exportedAt, customer: await withoutOthers(folded), profileIds },
      guests: guests.map(({ id, claimed }) => ({ id, claimed })),
    };
    const { profileId, after } = from;
    const text = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "records": [`;
    yield { text, exported, ...(profileId !== undefined && { profileId }), after, records };
  }
  // The source profile at work comes first, whatever a merge has changed about their order.
  const left = profileIds
    .filter((id) => !exported.includes(id))
    .sort((one, other) => Number(other === from.profileId) - Number(one === from.profileId));
  for (const profileId of left) {
    const after = profileId === from.profileId ? from.after : '';
    // No key sorts between a key and the same key followed by a space.
    for await (const row of table.query(profilePartition(profileId), { from: `${after} `, to: '~' })) {
      const record = JSON.stringify(await recordOf(await withoutOthers(row), profileId, bucket));
      const text = `${records === 0 ? '' : ','}\n${record}`;
      records++;
      yield { text, exported, profileId, after: row.sk, records };
    }
    exported = [...exported, profileId];
  }
}

const profileIdsOf = ({ sourceProfiles }: Customer): string[] =>
  sourceProfiles.map(({ profile }) => profile.id);

const recordOf = async (
  { pk: _, sk, expiresAt: __, ...row }: Row,
  profileId: string,
  bucket: ExportPorts['bucket'],
): Promise<object> => {
  const type = recordTypes[sk.split('#')[0] ?? ''] ?? sk.split('#')[0];
  const files = z.array(Attachment).safeParse(row['attachments']).data ?? [];
  const attachments = [];
  for (const file of files)
    attachments.push(file.key === undefined ? file : { ...file, content: await contentOf(file.key, bucket) });
  return { type, profileId, ...row, ...(attachments.length > 0 && { attachments }) };
};

/** In base64; null where the file is not in the bucket, or is larger than `LARGEST_FILE_BYTES`. */
const contentOf = async (key: string, bucket: ExportPorts['bucket']): Promise<string | null> => {
  const file = await bucket.open(key);
  if (file === undefined) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of file.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_FILE_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('base64');
};
