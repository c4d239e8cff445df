import type { BulkWrites, CrmSession } from '../../../../core/crm/connector.ts';
import type { Instant } from '../../../../core/interaction/interaction.ts';
import type { Rules } from '../../contacts/subjects.ts';
import type { SyncPorts } from '../../ports.ts';
import type { BatchPorts } from './batches.ts';
import type { BackfillCheckpoint } from './checkpoint.ts';

/** What the steps of one slice share. */
export interface LotContext {
  readonly ports: BatchPorts & { readonly parked: () => Promise<ReadonlySet<string>> };
  readonly writes: BulkWrites;
  readonly sync: SyncPorts;
  readonly session: CrmSession;
  readonly rules: Rules;
  readonly job: string;
  readonly since: Instant | undefined;
  /** False once the slice must end. */
  readonly timeLeft: () => boolean;
}

/** Where the backfill continues. `afterSeconds`: the checkpoint must be stored first, and so many seconds pass. */
export interface Step {
  readonly checkpoint: BackfillCheckpoint;
  readonly afterSeconds?: number;
}
