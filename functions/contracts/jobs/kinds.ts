import * as z from 'zod';
import { When } from '../../../core/formats/customer-list.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
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

const file = {
  format: z.enum(['csv', 'ndjson']),
  /** What the file is called, for people and as evidence. */
  file: z.string().min(1).max(200).default('list'),
  /** From a name in the header of a CSV to the column that it is. */
  map: z.record(z.string(), z.string()).default({}),
  ignore: z.array(z.string()).default([]),
  /** Judges every row and takes none. */
  dryRun: z.boolean().default(false),
};

export const CustomersParameters = z.strictObject({
  ...file,
  /** The list as it was at this time; where it is left out, when the job began. */
  listedAt: Instant.optional(),
  /** When the people of the list gave their answers, and how: for rows that do not say so themselves. */
  consent: z.strictObject({ at: When.optional(), source: z.string().min(1).max(200).optional() }).default({}),
  /** Whether the CRMs get these customers at once; else with their first interaction. */
  toCrms: z.boolean().default(false),
});
export type CustomersParameters = z.output<typeof CustomersParameters>;

export const HistoryParameters = z.strictObject({
  ...file,
  /** The system that the history is from, so that the ids of two systems are apart. */
  from: z.string().min(1).max(100).optional(),
});
export type HistoryParameters = z.output<typeof HistoryParameters>;

const ANY = 'application/octet-stream';

export const customersKind: JobKind<CustomersParameters> = {
  kind: 'import-customers',
  title: 'Imports a list of customers',
  parameters: CustomersParameters,
  file: ANY,
};

export const historyKind: JobKind<HistoryParameters> = {
  kind: 'import-interactions',
  title: 'Imports interactions of the past',
  parameters: HistoryParameters,
  file: ANY,
};

/** A half of the person. */
export const ExportParameters = z.strictObject({ profileId: z.string() });
export type ExportParameters = z.infer<typeof ExportParameters>;

export const exportKind: JobKind<ExportParameters> = {
  kind: 'export',
  title: 'Exports everything that is held of a person',
  parameters: ExportParameters,
};

/** Ids alone: whom they mean is known to the table, until the erasure is done. */
export const EraseParameters = z.strictObject({ erasure: z.string(), profileId: z.string() });
export type EraseParameters = z.infer<typeof EraseParameters>;

/** Begun by `POST /erasures` alone. */
export const eraseKind: JobKind<EraseParameters> = {
  kind: 'erase',
  title: 'Erases a person',
  parameters: EraseParameters,
};

/** Every kind of job that may be asked for by its name. `registry.ts` must know how each is done. */
export const kinds: Readonly<Record<string, JobKind<unknown>>> = {
  replay: replayKind,
  export: exportKind,
  'import-customers': customersKind,
  'import-interactions': historyKind,
};
