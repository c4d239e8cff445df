import type { Failure } from '../../../core/errors/failure.ts';
import {
  failureKey,
  failureListKey,
  failureListPartition,
  failureListSortKey,
} from '../../contracts/keys.ts';
import { failureOf, Pointer } from '../../contracts/rows/operations.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { stageOf, stages } from '../../contracts/stages/index.ts';
import { bucket } from '../clients/bucket.ts';
import type { Table } from '../clients/dynamo.ts';
import { failureById, rowOf, saveFailure, type Told, writeConflict } from './failure-rows.ts';

export interface Asked {
  readonly stage?: string | undefined;
  /** Only those that failed before this instant and, at that instant, have a smaller id. */
  readonly before?: { readonly failedAt: string; readonly id: string } | undefined;
}

export interface Failures {
  /** Keeps what failed: one row per piece of work, however often it is told. */
  keep(told: Told): Promise<void>;
  get(id: string): Promise<Failure | undefined>;
  /** Writes the row if it is still at the version given, and resolves to it as it then stands. */
  save(failure: Failure): Promise<Failure | undefined>;
  payload(failure: Failure): Promise<string | undefined>;
  putPayload(failure: Failure, payload: string): Promise<void>;
  /** Removes a failure and its payload: what an erasure asks for. */
  remove(failure: Failure): Promise<void>;
  /** Newest first, page by page: each holds what stands in the list at that place. */
  list(asked: Asked): AsyncGenerator<readonly Failure[]>;
}

const PAGE = 100;

/**
 * The rows of failures. Each stage has a list of its own, in the order of time, whose rows only point: one that was
 * reopened since is passed by, because its row names a later time.
 */
export const failures = (runtime: Runtime, table: Table): Failures => {
  const files = bucket(runtime);
  const keep = saveFailure(runtime, table);
  return {
    get: (id) => failureById(table, id),
    keep: ({ stage, ...told }) => keep(stageOf(stage), told),
    async save(failure) {
      const changed = { ...failure, version: failure.version + 1 };
      const saved = await table.transact([{ put: rowOf(changed), if: { version: failure.version } }]);
      return saved ? changed : undefined;
    },
    payload: async ({ payloadKey }) => (await files.get(payloadKey))?.toString(),
    putPayload: ({ payloadKey }, payload) => files.put(payloadKey, payload),
    async remove(failure) {
      await files.remove(failure.payloadKey);
      const removed = await table.transact([
        { delete: failureKey(failure.id) },
        { delete: failureListKey(failure) },
      ]);
      if (!removed) throw writeConflict();
    },
    list: (asked) => list(table, asked),
  };
};

/** The stages' lists, each already in order, merged page by page. */
async function* list(table: Table, { stage, before }: Asked): AsyncGenerator<readonly Failure[]> {
  const wanted = stage === undefined ? Object.keys(stages) : [stage];
  const to = before === undefined ? '~' : failureListSortKey(before);
  const readers = wanted.map((one) =>
    table.query(failureListPartition(one), {
      ...{ from: '', to, backwards: true, pageSize: PAGE },
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
      // The place to go on from was given already.
      if (newest.row.sk !== to) pointers.push(newest.row);
      const next = await readers[newest.position]?.next();
      if (next) heads[newest.position] = next;
    }
    if (pointers.length === 0) return;
    const found = await table.get(pointers.map((row) => failureKey(Pointer.parse(row).id)));
    const rows = new Map(found.map((row) => [row.pk, failureOf(row)]));
    yield pointers.flatMap((pointer) => {
      const failure = rows.get(failureKey(Pointer.parse(pointer).id).pk);
      return failure && failureListSortKey(failure) === pointer.sk ? [failure] : [];
    });
  }
}
