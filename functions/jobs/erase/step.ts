import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';
import type { Receipt, SignedReceipt } from '../../../core/privacy/receipt.ts';
import type { Objects } from '../../aws/clients/objects.ts';
import type { EraseRows } from '../../aws/erasure/erase-rows.ts';
import type { Erasures } from '../../aws/erasure/erasures.ts';
import type { Failures } from '../../aws/operations/failures.ts';
import type { SliceWork } from '../../contracts/jobs/job.ts';
import type { EraseParameters } from '../../contracts/jobs/kinds.ts';

export interface EraseJobPorts {
  readonly erasures: Erasures;
  readonly rows: EraseRows;
  readonly objects: Objects;
  /** Whether files may lie under a prefix: stored mails do only where SES's webhook is on. */
  readonly hasRaw: (prefix: string) => boolean;
  readonly failures: Pick<Failures, 'list' | 'payload' | 'remove'>;
  /** The CRMs that are switched on. */
  readonly crms: () => readonly string[];
  /** Asks the function of a CRM to take out parts of the person. */
  readonly eraseInCrm: (crm: string, erasure: string, parts: readonly string[]) => Promise<void>;
  /** Whether the queues that carry content are empty. */
  readonly quiet: () => Promise<boolean>;
  /** Empties the archive of the bus. */
  readonly emptyArchive: () => Promise<void>;
  readonly removeEndpoint: (arn: string) => Promise<void>;
  readonly tellErased: (profileId: string, at: string) => Promise<void>;
  readonly sign: (receipt: Receipt) => Promise<SignedReceipt>;
  readonly hub: () => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const Told = z.strictObject({
  what: z.string(),
  count: z.int().nonnegative(),
  doneAt: Instant,
  left: z.array(z.string()),
});
export const Checkpoint = z.strictObject({
  /** The step that comes next, by its place. */
  step: z.int().nonnegative(),
  /** Where within the step. */
  place: z.string(),
  /** What the steps have to tell, by system. */
  systems: z.record(z.string(), Told),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** One thing that an erasure does. It may break off and be repeated. */
export interface Step {
  readonly name: string;
  /** What was done in this call; without `done` the step goes on from `place`, after `delaySeconds`. */
  readonly run: (at: At) => Promise<Progress>;
}
interface At extends Pick<SliceWork<EraseParameters, Checkpoint>, 'parameters' | 'timeLeft' | 'startedAt'> {
  readonly place: string;
  readonly systems: Checkpoint['systems'];
}
export interface Progress {
  readonly done: boolean;
  readonly place?: string;
  readonly delaySeconds?: number;
  readonly told?: Readonly<Record<string, { what: string; count: number; left?: readonly string[] }>>;
}
