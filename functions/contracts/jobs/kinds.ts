import * as z from 'zod';
import { When } from '../../../core/formats/lists/customer-list.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { Condition } from '../../../core/triggers/condition.ts';
import { GivenTrigger } from '../../../core/triggers/template-files.ts';
import type { JobKind, JobRow } from './job.ts';

/** Which failures to replay: the open ones that failed before `before`, or before the start of the job. */
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
  /** The name of the file, as people read it and as evidence of consent. */
  file: z.string().min(1).max(200).default('list'),
  /** From a name in the header of a CSV to the column that it stands for. */
  map: z.record(z.string(), z.string()).default({}),
  ignore: z.array(z.string()).default([]),
  /** Validates every row without importing. */
  dryRun: z.boolean().default(false),
};

export const CustomersParameters = z.strictObject({
  ...file,
  /** The time of the list; the start of the job where it is absent. */
  listedAt: Instant.optional(),
  /** When and how the customers of the list gave their answers, for rows without values of their own. */
  consent: z.strictObject({ at: When.optional(), source: z.string().min(1).max(200).optional() }).default({}),
  /** Whether CRMs get these customers at once; otherwise with their first interaction. */
  toCrms: z.boolean().default(false),
});
export type CustomersParameters = z.output<typeof CustomersParameters>;

export const HistoryParameters = z.strictObject({
  ...file,
  /** The system from which the history comes: it keeps the ids of two systems distinct. */
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

/** `profileId`: any source profile of the person. */
export const ExportParameters = z.strictObject({ profileId: z.string() });
export type ExportParameters = z.infer<typeof ExportParameters>;

export const exportKind: JobKind<ExportParameters> = {
  kind: 'export',
  title: 'Exports everything that is held of a person',
  parameters: ExportParameters,
};

/** Ids only: the table holds whom they name, until the erasure is done. */
export const EraseParameters = z.strictObject({ erasure: z.string(), profileId: z.string() });
export type EraseParameters = z.infer<typeof EraseParameters>;

/** Started by `POST /erasures` only. */
export const eraseKind: JobKind<EraseParameters> = {
  kind: 'erase',
  title: 'Erases a person',
  parameters: EraseParameters,
};

/** A look at the customers of a trigger whose time falls into (from, to]. */
export const LookParameters = z.strictObject({ trigger: z.string(), from: Instant, to: Instant });
export type LookParameters = z.infer<typeof LookParameters>;

/** Started by the plan of looks only. */
export const lookKind: JobKind<LookParameters> = {
  kind: 'look',
  title: 'Looks at the customers for a trigger with each',
  parameters: LookParameters,
};

const MOST_LISTED = 1000;

/** Of whom conditions hold now: those of a published trigger, or others. `list`: how many persons are named in the result. */
export const AudienceParameters = z
  .strictObject({
    trigger: z.string().optional(),
    where: z.array(Condition).optional(),
    list: z.int().min(0).max(MOST_LISTED).default(0),
  })
  .refine(({ trigger, where }) => (trigger === undefined) !== (where === undefined), {
    error: 'expected either trigger or where',
  });
export type AudienceParameters = z.output<typeof AudienceParameters>;

export const audienceKind: JobKind<AudienceParameters> = {
  kind: 'audience',
  title: 'Counts the persons of whom conditions hold',
  parameters: AudienceParameters,
};

/** With the parameters of its job, its row stays well below the 400 KB that DynamoDB takes. */
const MOST_BYTES = 200_000;
const isStorable = (trigger: GivenTrigger): boolean =>
  Buffer.byteLength(JSON.stringify(trigger), 'utf8') <= MOST_BYTES;

/** A published trigger by its id, or one as a file has it, over the last days. `list`: how many outcomes are listed in the result. */
export const BacktestParameters = z.strictObject({
  trigger: z.union([
    z.string(),
    GivenTrigger.refine(isStorable, { error: `expected at most ${MOST_BYTES} bytes with the templates` }),
  ]),
  days: z.int().min(1).max(366).default(30),
  list: z.int().min(0).max(100).default(20),
});
export type BacktestParameters = z.output<typeof BacktestParameters>;

export const backtestKind: JobKind<BacktestParameters> = {
  kind: 'backtest',
  title: 'Plays a trigger over the stored history',
  parameters: BacktestParameters,
};

const NoParameters = z.strictObject({});

/** Started once by the hub itself, because earlier releases did not list customers by time zone. */
export const listKind: JobKind<z.infer<typeof NoParameters>> = {
  kind: 'list',
  title: 'Enters every customer in the lists',
  parameters: NoParameters,
};

const crm = z.string().min(1).max(40);

/** A dry run counts and writes nothing, neither here nor in the CRM. */
export const AdoptParameters = z.strictObject({ crm, dryRun: z.boolean().default(false) });
export type AdoptParameters = z.output<typeof AdoptParameters>;

export const adoptKind: JobKind<AdoptParameters> = {
  kind: 'adopt',
  title: 'Links the contacts that a CRM has to customers',
  parameters: AdoptParameters,
};

/** `since`: of customers and interactions only those that changed since then. */
export const BackfillParameters = z.strictObject({ crm, since: When.optional() });
export type BackfillParameters = z.output<typeof BackfillParameters>;

export const backfillKind: JobKind<BackfillParameters> = {
  kind: 'backfill',
  title: 'Writes customers and interactions to a CRM',
  parameters: BackfillParameters,
};

const CrmJob = z.object({
  kind: z.enum([adoptKind.kind, backfillKind.kind]),
  parameters: z.object({ crm }),
});

/** The CRM whose function runs a job; undefined of jobs that the function of the jobs runs. */
export const crmOfJob = (job: Pick<JobRow, 'kind' | 'parameters'>): string | undefined => {
  const read = CrmJob.safeParse(job);
  return read.success ? read.data.parameters.crm : undefined;
};

/** Every kind of job that `POST /jobs` accepts. `registry.ts` holds how each is executed. */
export const kinds: Readonly<Record<string, JobKind<unknown>>> = {
  replay: replayKind,
  export: exportKind,
  'import-customers': customersKind,
  'import-interactions': historyKind,
  audience: audienceKind,
  backtest: backtestKind,
  adopt: adoptKind,
  backfill: backfillKind,
};
