import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
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

export interface Collection {
  readonly target: Target;
  readonly rows: readonly Row[];
}

export type Outcome = { readonly id: string } | { readonly fault: CrmFault };

export const collectionsOf = (target: Target, rows: readonly Row[]): Collection[] =>
  chunked(rows, PER_COLLECTION).map((chunk) => ({ target, rows: chunk }));

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
    if (first === undefined || !(await waited(first.rows[0]?.key ?? '', attempt, call.signal))) break;
    const again = await writeOnce(client, locked, call).catch(() => undefined);
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
const waited = async (key: string, attempt: number, signal: AbortSignal): Promise<boolean> => {
  const spread = createHash('sha256').update(`${attempt}:${key}`).digest().readUInt16BE() / 0xffff;
  return setTimeout(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + spread), true, { signal }).catch(() => false);
};

const writeOnce = async (
  client: Client,
  collections: readonly Collection[],
  call: Call,
): Promise<ReadonlyMap<Row, Outcome>> => {
  const outcomes = new Map<Row, Outcome>();
  const groups = chunked(collections, HEAVY_PER_CALL);
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    const refused: Collection[] = [];
    try {
      const answers = await composite(client, group.map(requestOf), call);
      for (const [at, collection] of group.entries()) {
        const outcome = outcomesOf(collection, answers[at]);
        if (outcome instanceof Map) for (const [row, one] of outcome) outcomes.set(row, one);
        else if (isDivisible(collection, outcome)) refused.push(...halves(collection));
        else for (const row of collection.rows) outcomes.set(row, { fault: outcome });
      }
    } catch (error) {
      const fault = faultFrom(error);
      if (fault.scope !== 'record') {
        if (outcomes.size === 0) throw error;
        for (const { rows } of [group, ...groups].flat())
          for (const row of rows) if (!outcomes.has(row)) outcomes.set(row, { fault });
        return outcomes;
      }
      const [only, ...others] = group;
      if (others.length > 0) groups.push(...group.map((one) => [one]));
      else if (only !== undefined && isDivisible(only, fault))
        groups.push(...halves(only).map((one) => [one]));
      else for (const row of only?.rows ?? []) outcomes.set(row, { fault });
    }
    groups.push(...chunked(refused, HEAVY_PER_CALL));
  }
  return outcomes;
};

const requestOf = ({ target, rows }: Collection) => ({
  ...target,
  body: { allOrNone: false, records: rows.map(({ body }) => body) },
});

/** A refusal of the object or the connection holds for every row; any other is of one of them. */
const isDivisible = ({ rows }: Collection, { scope }: CrmFault): boolean =>
  scope === 'record' && rows.length > 1;

const halves = ({ target, rows }: Collection): Collection[] => {
  const middle = Math.ceil(rows.length / 2);
  return [
    { target, rows: rows.slice(0, middle) },
    { target, rows: rows.slice(middle) },
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

const unanswered = (): CrmFault =>
  new CrmFault('unavailable-crm', 'Salesforce left the record out of its answer. It is sent again.', {
    ...{ scope: 'record', why: 'down' },
  });
