import type { Failure } from '../../../core/errors/failure.ts';
import {
  failureKey,
  failureListKey,
  failureListPartition,
  failureListSortKey,
} from '../../contracts/keys.ts';
import { failureOf, pointerOf } from '../../contracts/rows/operations.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { stageOf, stages, stagesOfCrms } from '../../contracts/stages/index.ts';
import { bucket } from '../clients/bucket.ts';
import type { Table } from '../clients/dynamo.ts';
import { updateOptimistically } from '../clients/optimistic.ts';
import { type Config, config } from './configuration.ts';
import { failureById, type ReportedFailure, rowOf, saveFailure } from './failure-rows.ts';

interface FailureQuery {
  readonly stage?: string | undefined;
  /** Only those that failed before this instant and, at that instant, have a smaller id. */
  readonly before?: { readonly failedAt: string; readonly id: string } | undefined;
}

export interface Failures {
  /** Stores a failure: see `saveFailure`. Throws `HubError` `unknown-stage` (never). */
  report(reported: ReportedFailure): Promise<void>;
  get(id: string): Promise<Failure | undefined>;
  /** Writes the row, with the next version, and resolves to it; undefined where it is no longer at the given version. */
  save(failure: Failure): Promise<Failure | undefined>;
  /** The body of the queue message; undefined where it has expired. */
  payload(failure: Failure): Promise<string | undefined>;
  putPayload(failure: Failure, payload: string): Promise<void>;
  /** Removes a failure and its payload, for an erasure. Rejects with `HubError` `write-conflict` (later). */
  remove(failure: Failure): Promise<void>;
  /** Newest first, in pages; a page may be empty and still be followed by another. */
  list(query: FailureQuery): AsyncGenerator<readonly Failure[]>;
}

const PAGE = 100;

/**
 * The rows of failures and their payloads. Each stage has a list by time whose entries only point to rows; an entry is
 * skipped where its failure was reopened since, because that has a later entry.
 */
export const failures = (runtime: Runtime, table: Table): Failures => {
  const files = bucket(runtime);
  const save = saveFailure(runtime, table);
  return {
    get: (id) => failureById(table, id),
    report: ({ stage, ...reported }) => save(stageOf(stage), reported),
    async save(failure) {
      const changed = { ...failure, version: failure.version + 1 };
      const saved = await table.transact([{ put: rowOf(changed), if: { version: failure.version } }]);
      return saved ? changed : undefined;
    },
    payload: async ({ payloadKey }) => (await files.get(payloadKey))?.toString(),
    putPayload: ({ payloadKey }, payload) => files.put(payloadKey, payload),
    async remove(failure) {
      await files.remove(failure.payloadKey);
      const deletes = [{ delete: failureKey(failure.id) }, { delete: failureListKey(failure) }];
      await updateOptimistically(runtime, 'The failure', () => table.transact(deletes));
    },
    list: (query) => list(table, config(runtime, table).hub, query),
  };
};

/** Merges the lists of the stages, each of which is in order, into pages. */
async function* list(
  table: Table,
  hub: Config['hub'],
  { stage, before }: FailureQuery,
): AsyncGenerator<readonly Failure[]> {
  const all = async () => [...Object.keys(stages), ...stagesOfCrms(Object.keys((await hub()).crms))];
  const wanted = stage === undefined ? await all() : [stage];
  const to = before === undefined ? '~' : failureListSortKey(before);
  const readers = wanted.map((one) =>
    table.query(failureListPartition(one), {
      ...{ to, backwards: true, pageSize: PAGE },
    }),
  );
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  for (;;) {
    const pointers: Row[] = [];
    while (pointers.length < PAGE) {
      const [newest] = heads
        .flatMap((head, position) => (head.done === true ? [] : [{ row: head.value, position }]))
        .sort((one, other) => (one.row.sk > other.row.sk ? -1 : 1));
      if (newest === undefined) break;
      // The entry at which the reader continues was returned before.
      if (newest.row.sk !== to) pointers.push(newest.row);
      const next = await readers[newest.position]?.next();
      if (next) heads[newest.position] = next;
    }
    if (pointers.length === 0) return;
    const found = await table.get(pointers.map((row) => failureKey(pointerOf(row).id)));
    const rows = new Map(found.map((row) => [row.pk, failureOf(row)]));
    yield pointers.flatMap((pointer) => {
      const failure = rows.get(failureKey(pointerOf(pointer).id).pk);
      return failure && failureListSortKey(failure) === pointer.sk ? [failure] : [];
    });
  }
}
