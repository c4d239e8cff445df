// https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.md
// A job of Salesforce reads a whole object; its results can be read for seven days, each part as often as one likes.

import * as z from 'zod';
import type { Call, HeldRecord } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import type { Known } from '../describe.ts';
import { heldRecord } from '../held.ts';
import { incomplete } from '../rest/composite.ts';
import { faultOfAnswer } from '../rest/faults.ts';
import type { Client } from '../rest/session.ts';
import type { SalesforceRecord } from '../rest/soql.ts';
import { rowsOf } from './csv.ts';

/** Where a list goes on that a job reads: at the job's state, or at a record of one part of its results. */
export const JobCursor = z.strictObject({
  job: z.string().regex(/^\w{15,18}$/u),
  /** How often the state of the job was asked for. */
  asked: z.int().nonnegative().optional(),
  part: z.strictObject({ locator: z.string().optional(), skip: z.int().nonnegative() }).optional(),
});
export type JobCursor = z.infer<typeof JobCursor>;

/** As many records as are worked on at once. */
const PER_PAGE = 1000;
/** As many records as memory holds easily. */
const PER_PART = 10_000;
const FIRST_WAIT_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 60;

const Job = z.looseObject({ id: z.string(), state: z.string() });

/** Starts the reading of an object, whose records then come in no order. */
export const startReading = async (client: Client, query: string, call: Call): Promise<JobCursor> => {
  const body = { operation: 'query', query };
  const answer = await client.request({ method: 'POST', path: '/jobs/query', body }, call);
  const fault = faultOfAnswer(answer);
  if (fault !== undefined) throw fault;
  const job = Job.safeParse(answer.body);
  if (!job.success) throw incomplete();
  return { job: job.data.id };
};

export interface JobPage {
  readonly records: readonly HeldRecord[];
  readonly next?: JobCursor;
  /** Set while Salesforce is reading: when to ask again. */
  readonly afterSeconds?: number;
}

export interface Reading {
  readonly object: string;
  readonly known: Known;
  readonly fields: readonly string[];
}

/** A part of the results, which a session remembers, since it has several pages. */
interface Part {
  readonly job: string;
  readonly locator: string | undefined;
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly following: string | undefined;
}

/** Reads the pages of jobs. `page` resolves with nothing where the job ended without results: then pages of queries are read. */
export const jobReader = (client: Client) => {
  let present: Part | undefined;
  const partAt = async (job: string, locator: string | undefined, call: Call): Promise<Part> => {
    if (present?.job === job && present.locator === locator) return present;
    const from = locator === undefined ? '' : `&locator=${encodeURIComponent(locator)}`;
    const path = `/jobs/query/${job}/results?maxRecords=${PER_PART}${from}`;
    const answer = await client.request({ method: 'GET', path }, call);
    if (answer.status === 404) throw expired(job);
    const fault = faultOfAnswer(answer);
    if (fault !== undefined) throw fault;
    const next = answer.headers['sforce-locator'] ?? 'null';
    present = { job, locator, rows: rowsOf(answer), following: next === 'null' ? undefined : next };
    return present;
  };
  return {
    async page(
      { object, known, fields }: Reading,
      cursor: JobCursor,
      call: Call,
    ): Promise<JobPage | undefined> {
      if (cursor.part === undefined) {
        const state = await stateOf(client, cursor.job, call);
        if (state === 'ended') return undefined;
        if (state === 'running') return waiting(cursor);
      }
      const { locator, skip } = cursor.part ?? { locator: undefined, skip: 0 };
      const { rows, following } = await partAt(cursor.job, locator, call);
      const held = { object, known, fields, userId: client.userId() };
      const records = rows.slice(skip, skip + PER_PAGE).map((row) => heldRecord(recordOf(known, row), held));
      const part =
        skip + PER_PAGE < rows.length
          ? { ...(locator !== undefined && { locator }), skip: skip + PER_PAGE }
          : following === undefined
            ? undefined
            : { locator: following, skip: 0 };
      return { records, ...(part && { next: { job: cursor.job, part } }) };
    },
  };
};

const stateOf = async (client: Client, job: string, call: Call): Promise<'running' | 'done' | 'ended'> => {
  const answer = await client.request({ method: 'GET', path: `/jobs/query/${job}` }, call);
  if (answer.status === 404) return 'ended';
  const fault = faultOfAnswer(answer);
  if (fault !== undefined) throw fault;
  const { state } = Job.parse(answer.body);
  if (state === 'JobComplete') return 'done';
  return state === 'Failed' || state === 'Aborted' ? 'ended' : 'running';
};

const waiting = ({ job, asked = 0 }: JobCursor): JobPage => ({
  records: [],
  next: { job, asked: asked + 1 },
  afterSeconds: Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * (asked + 1)),
});

/** The record as a query of the REST API shows it. */
const recordOf = (known: Known, row: Readonly<Record<string, string>>): SalesforceRecord => ({
  ...Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [name, cellValue(known.fields.get(name)?.type, cell)]),
  ),
  Id: row['Id'] ?? '',
});

const cellValue = (type: string | undefined, cell: string): unknown => {
  if (cell === '') return null;
  if (type === 'number') return Number(cell);
  if (type === 'boolean') return cell === 'true';
  return type === 'datetime' ? cell.replace(/Z$/u, '+0000') : cell;
};

const expired = (job: string): CrmFault =>
  new CrmFault(
    'salesforce-not-found',
    `Salesforce has no results of the bulk job ${job} any more: it keeps them for seven days, and a person may delete the job (Setup, Bulk Data Load Jobs). Start the job of the hub again.`,
    { scope: 'record', why: 'setup' },
  );
