import * as z from 'zod';
import { type Receipt, ReceiptSystem, type SignedReceipt } from '../../../core/privacy/receipt.ts';
import type { Bucket } from '../../aws/clients/bucket.ts';
import type { EraseRows } from '../../aws/erasure/erase-rows.ts';
import type { Erasures } from '../../aws/erasure/erasures.ts';
import type { Failures } from '../../aws/operations/failures.ts';
import type { SliceWork } from '../../contracts/jobs/job.ts';
import type { EraseParameters } from '../../contracts/jobs/kinds.ts';

export interface EraseJobPorts {
  readonly erasures: Erasures;
  readonly rows: EraseRows;
  readonly bucket: Pick<Bucket, 'list' | 'open' | 'remove'>;
  /** Whether raw files may exist under a prefix: mails exist only where SES's webhook is enabled. */
  readonly hasRaw: (prefix: string) => boolean;
  readonly failures: Pick<Failures, 'list' | 'payload' | 'remove'>;
  /** The ids of the CRMs that are enabled. */
  readonly crms: () => readonly string[];
  /** Queues the erasure of parts of the customer for the function of a CRM. */
  readonly eraseInCrm: (crm: string, erasure: string, parts: readonly string[]) => Promise<void>;
  /** Whether the queues that carry content are empty. */
  readonly quiet: () => Promise<boolean>;
  /** Empties the archive of the bus. */
  readonly emptyArchive: () => Promise<void>;
  /** Deletes a push endpoint of SNS. */
  readonly removeEndpoint: (arn: string) => Promise<void>;
  readonly publishErased: (profileId: string, at: string) => Promise<void>;
  readonly sign: (receipt: Receipt) => Promise<SignedReceipt>;
  readonly hub: () => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const SystemReport = ReceiptSystem.omit({ system: true });

export const Checkpoint = z.strictObject({
  /** The name of the step that comes next. */
  step: z.string(),
  /** Where that step continues, in its own terms, such as the key of the last file; empty at its beginning. */
  after: z.string(),
  /** What the receipt will say, by system. */
  systems: z.record(z.string(), SystemReport),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** One step of an erasure. It may be interrupted and repeated. Its name is stored in checkpoints: never reuse a name. */
export type Step = (work: StepWork) => Promise<Progress>;

interface StepWork extends Pick<SliceWork<EraseParameters, Checkpoint>, 'parameters' | 'timeLeft'> {
  readonly after: string;
  readonly systems: Checkpoint['systems'];
}

/** What one call did. A step that is not `done` is called again with `after`, once `delaySeconds` have passed. */
export interface Progress {
  readonly done: boolean;
  readonly after?: string;
  readonly delaySeconds?: number;
  /** What this call removed, by system, for the receipt. */
  readonly reports?: Readonly<Record<string, { what: string; count: number; left?: readonly string[] }>>;
}
