import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Call } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import { chunked, composite, HEAVY_PER_CALL, incomplete, type SubAnswer } from './rest/composite.ts';
import { type Asked, faultOf, faultOfAnswer, RowRefusals } from './rest/faults.ts';
import type { Client } from './rest/session.ts';

const PER_COLLECTION = 200;

/** A record as it is sent. */
export interface Row extends Asked {
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How rows are written: by what they are found. */
export interface Target {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
}

/** Of new records. */
export const NEW: Target = { method: 'POST', path: '/composite/sobjects' };

export interface Collection {
  readonly target: Target;
  readonly rows: readonly Row[];
  /** Not part of a composite request, in which Salesforce replaces `@{…}` inside values by what it answered before. */
  readonly alone: boolean;
}

export type Outcome = { readonly id: string } | { readonly fault: CrmFault };

export const collectionsOf = (target: Target, rows: readonly Row[]): Collection[] =>
  [false, true].flatMap((alone) =>
    chunked(
      rows.filter((row) => isReferring(row) === alone),
      PER_COLLECTION,
    ).map((chunk) => ({ target, rows: chunk, alone })),
  );

const isReferring = ({ body }: Row): boolean => JSON.stringify(body).includes('@{');

/**
 * Writes collections, five in a request. One that is refused as a whole is halved until the row at fault is alone. Rows that
 * were locked by somebody else are tried again, apart from the others. Rejects if the first request fails; later the rows
 * that were not written bear the fault.
 */
export const write = async (
  client: Client,
  collections: readonly Collection[],
  call: Call,
): Promise<ReadonlyMap<Row, Outcome>> => {
  const outcomes = new Map(await writeOnce(client, collections, call));
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt++) {
    const locked = collections.flatMap(({ target, rows }) =>
      collectionsOf(
        target,
        rows.filter((row) => isLocked(outcomes.get(row))),
      ),
    );
    const [first] = locked;
    if (first === undefined || !(await waited(first.rows[0]?.key ?? '', attempt, call))) break;
    const again = await writeOnce(client, locked, call).catch((error: unknown) => void faultFrom(error));
    if (again === undefined) break;
    for (const [row, outcome] of again) outcomes.set(row, outcome);
  }
  return outcomes;
};

const LOCK_ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;

const isLocked = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && 'fault' in outcome && outcome.fault.code === 'salesforce-unable-to-lock-row';

/** Waits twice as long each time, and by the key, so that workers that met do not meet again. False if aborted. */
const waited = async (key: string, attempt: number, { sleep }: Call): Promise<boolean> => {
  const spread = createHash('sha256').update(`${attempt}:${key}`).digest().readUInt16BE() / 0xffff;
  return sleep(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + spread)).then(
    () => true,
    () => false,
  );
};

const writeOnce = async (
  client: Client,
  collections: readonly Collection[],
  call: Call,
): Promise<ReadonlyMap<Row, Outcome>> => {
  const outcomes = new Map<Row, Outcome>();
  const groups = groupsOf(collections);
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    try {
      const answers = await answersTo(client, group, call);
      groups.push(...groupsOf(noteOutcomes(group, answers, outcomes)));
    } catch (error) {
      const fault = faultFrom(error);
      if (fault.scope === 'record') groups.push(...divided(group, fault, outcomes));
      else if (outcomes.size === 0) throw error;
      else return blame([group, ...groups].flat(), fault, outcomes);
    }
  }
  return outcomes;
};

type Outcomes = Map<Row, Outcome>;

/** Notes what became of each row. Returns what is to be sent again: both parts of collections that were refused as a whole. */
const noteOutcomes = (
  group: readonly Collection[],
  answers: readonly SubAnswer[],
  outcomes: Outcomes,
): Collection[] =>
  group.flatMap((collection, at) => {
    const outcome = outcomesOf(collection, answers[at]);
    if (outcome instanceof CrmFault && isDivisible(collection, outcome)) return bisected(collection);
    if (outcome instanceof CrmFault) blame([collection], outcome, outcomes);
    else for (const [row, one] of outcome) outcomes.set(row, one);
    return [];
  });

/** The requests into which one is divided that was refused as a whole. */
const divided = (group: readonly Collection[], fault: CrmFault, outcomes: Outcomes): Collection[][] => {
  const [first, ...others] = group;
  if (first === undefined || others.length > 0) return group.map((one) => [one]);
  if (isDivisible(first, fault)) return bisected(first).map((one) => [one]);
  blame(group, fault, outcomes);
  return [];
};

/** Gives the fault to every row that has no outcome. */
const blame = (collections: readonly Collection[], fault: CrmFault, outcomes: Outcomes): Outcomes => {
  for (const row of collections.flatMap(({ rows }) => rows))
    if (!outcomes.has(row)) outcomes.set(row, { fault });
  return outcomes;
};

const requestOf = ({ target, rows }: Collection) => ({
  ...target,
  body: { allOrNone: false, records: rows.map(({ body }) => body) },
});

/** A refusal of the object or the connection holds for every row; any other is of one of them. */
const isDivisible = ({ rows }: Collection, { scope }: CrmFault): boolean =>
  scope === 'record' && rows.length > 1;

/** The collections of each request. */
const groupsOf = (collections: readonly Collection[]): Collection[][] => [
  ...chunked(
    collections.filter(({ alone }) => !alone),
    HEAVY_PER_CALL,
  ),
  ...collections.filter(({ alone }) => alone).map((one) => [one]),
];

const answersTo = async (
  client: Client,
  group: readonly Collection[],
  call: Call,
): Promise<readonly SubAnswer[]> => {
  const [first] = group;
  return first?.alone
    ? [await client.request({ ...requestOf(first), headers: client.writing }, call)]
    : composite(client, group.map(requestOf), call);
};

const bisected = ({ target, rows, alone }: Collection): Collection[] => {
  const middle = Math.ceil(rows.length / 2);
  return [
    { target, alone, rows: rows.slice(0, middle) },
    { target, alone, rows: rows.slice(middle) },
  ];
};

/** The fault of an error between two requests; the hub's own pause is one of the connection. */
export const faultFrom = (error: unknown): CrmFault => {
  if (error instanceof CrmFault) return error;
  if (!(error instanceof HubError)) throw error;
  const afterSeconds = typeof error.retry === 'object' ? error.retry.afterSeconds : undefined;
  return new CrmFault(error.code, error.message, {
    ...{ scope: 'connection', why: 'throttled', afterSeconds, cause: error },
  });
};

const RowResult = z.looseObject({
  id: z.string().nullish(),
  success: z.boolean(),
  errors: RowRefusals,
});
const RowResults = z.array(RowResult);

/** The outcome of every row, or the fault of the whole collection. */
const outcomesOf = ({ rows }: Collection, answer: SubAnswer | undefined): Map<Row, Outcome> | CrmFault => {
  if (answer === undefined) return incomplete();
  // Some releases give the results of rows the status of a refusal.
  const results = RowResults.safeParse(answer.body);
  if (!results.success) return faultOfAnswer(answer, rows[0]) ?? incomplete();
  return new Map(rows.map((row, at) => [row, outcomeOf(row, results.data[at])]));
};

const outcomeOf = (row: Row, result: z.infer<typeof RowResult> | undefined): Outcome => {
  if (result?.success === true && result.id) return { id: result.id };
  const [first] = result?.errors ?? [];
  return { fault: first === undefined ? unanswered() : faultOf(first, row) };
};

export const unanswered = (): CrmFault =>
  new CrmFault('unavailable-crm', 'Salesforce left the record out of its answer. It is sent again.', {
    ...{ scope: 'record', why: 'down' },
  });
