import * as z from 'zod';
import { Instant } from '../../core/interaction.ts';
import type { JobKind } from './job.ts';

/** Which failures to replay: those that were open and had failed before `before`, at the latest when the job began. */
export const ReplayParameters = z.strictObject({
  stage: z.string().optional(),
  code: z.string().optional(),
  before: Instant.optional(),
});
export type ReplayParameters = z.infer<typeof ReplayParameters>;

export const replayKind: JobKind<ReplayParameters> = {
  kind: 'replay',
  title: 'Replays failures',
  parameters: ReplayParameters,
};

/** Every kind of job that may be asked for. `registry.ts` must know how each is done. */
export const kinds: Readonly<Record<string, JobKind<unknown>>> = { replay: replayKind };
