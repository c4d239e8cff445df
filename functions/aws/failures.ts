import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { Failure } from '../../core/failure.ts';
import { instant } from '../../core/interaction.ts';
import { stageOf, stages } from '../failures/stages.ts';
import type { Runtime } from '../runtime.ts';
import { payloads } from './payloads.ts';
import { failureKey } from './rows.ts';
import type { Key, Row, Table } from './table.ts';

/** A failure as it is told; what is already known of it is added. */
export interface Told extends Pick<Failure, 'stage' | 'origin' | 'code' | 'reason' | 'occurrence' | 'tries'> {
  /** Where the message was replayed from: it then is the same failure, whatever was edited. */
  readonly id?: string | undefined;
  /** The body of the queue message that has to be replayed once the cause is mended. */
  readonly payload: string;
}

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

/** A failure is kept this long after it last happened; the rule of the bucket for `failures/` says the same. */
export const KEPT_DAYS = 180;
const ATTEMPTS = 5;
const PAGE = 100;

const listKey = ({ stage, failedAt, id }: Pick<Failure, 'stage' | 'failedAt' | 'id'>): Key => ({
  pk: `list#failures#${stage}`,
  sk: `${failedAt}#${id}`,
});

/**
 * The rows of failures. Each stage has a list of its own, in the order of time, whose rows only point: one that was
 * reopened since is passed by, because its row names a later time.
 */
export const failures = (runtime: Runtime, table: Table): Failures => {
  const bucket = payloads(runtime);
  const get = async (id: string): Promise<Failure | undefined> => {
    const [row] = await table.get([failureKey(id)]);
    return row && failureOf(row);
  };
  return {
    get,
    async keep(told) {
      const known = stageOf(told.stage).known(told.payload);
      const id = told.id ?? known.id;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const present = await get(id);
        if (present && (present.status === 'open' || present.occurrence === told.occurrence)) return;
        const failedAt = instant(runtime.now());
        const { stage, origin, code, reason, occurrence, tries } = told;
        const failure: Failure = {
          ...{ id, stage, origin, code, reason, occurrence, tries, failedAt, about: { ...known.about } },
          status: 'open',
          firstFailedAt: present?.firstFailedAt ?? failedAt,
          count: (present?.count ?? 0) + 1,
          version: (present?.version ?? 0) + 1,
          payloadKey: `failures/${stage}/${id}`,
          ...(present?.edited && { edited: present.edited }),
        };
        await bucket.put(failure.payloadKey, told.payload);
        const kept = await table.transact([
          { put: rowOf(failure), if: present ? { version: present.version } : { absent: true } },
          { put: { ...listKey(failure), id, expiresAt: expiry(failure) } },
        ]);
        if (kept) return;
      }
      throw crowded();
    },
    async save(failure) {
      const changed = { ...failure, version: failure.version + 1 };
      const saved = await table.transact([{ put: rowOf(changed), if: { version: failure.version } }]);
      return saved ? changed : undefined;
    },
    payload: ({ payloadKey }) => bucket.get(payloadKey),
    putPayload: ({ payloadKey }, payload) => bucket.put(payloadKey, payload),
    async remove(failure) {
      await bucket.remove(failure.payloadKey);
      const removed = await table.transact([
        { delete: failureKey(failure.id) },
        { delete: listKey(failure) },
      ]);
      if (!removed) throw crowded();
    },
    list: (asked) => list(table, asked),
  };
};

const crowded = (): HubError =>
  new HubError('crowded', 'The same failure was changed by others; it is told again.', { retry: 'later' });

/** The stages' lists, each already in order, merged page by page. */
async function* list(table: Table, { stage, before }: Asked): AsyncGenerator<readonly Failure[]> {
  const wanted = stage === undefined ? Object.keys(stages) : [stage];
  const to = before === undefined ? '~' : `${before.failedAt}#${before.id}`;
  const readers = wanted.map((one) =>
    table.query(listKey({ stage: one, failedAt: '', id: '' }).pk, {
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
      return failure && listKey(failure).sk === pointer.sk ? [failure] : [];
    });
  }
}

const Pointer = z.object({ id: z.string() });

const failureOf = ({ pk: _pk, sk: _sk, expiresAt: _expiresAt, ...row }: Row): Failure => Failure.parse(row);

/** Epoch seconds. */
const expiry = ({ failedAt }: Failure): number =>
  Math.floor(Date.parse(failedAt) / 1000) + KEPT_DAYS * 86_400;

const rowOf = (failure: Failure): Row => ({
  ...failureKey(failure.id),
  ...failure,
  expiresAt: expiry(failure),
});

/** A replayed message says whose replay it is. */
export const REPLAY_OF = 'failure';

/**
 * For a function that knows why a message failed for good: keeps it, so that the queue may forget it. `tries`: how often
 * the work was tried, where that is more than the queue has delivered this message.
 */
export const refusals = (
  runtime: Runtime,
  table: Table,
  stage: string,
): ((message: SQSRecord, error: HubError, tries?: number) => Promise<void>) => {
  const { keep } = failures(runtime, table);
  return ({ messageId, body, attributes, messageAttributes }, { code, message: reason }, tries) =>
    keep({
      ...{ stage, code, reason, origin: 'refused', payload: body, occurrence: messageId },
      tries: tries ?? Number(attributes.ApproximateReceiveCount),
      id: messageAttributes[REPLAY_OF]?.stringValue,
    });
};
