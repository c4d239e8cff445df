import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Records } from '../../protocol/records.ts';
import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { ObjectType } from '../schema/fields.ts';
import { Schema } from '../schema/schema.ts';
import type { Caller, Change } from './change.ts';
import { type ChangeEvent, changeEvents } from './change-events.ts';
import type { DuplicateRule } from './duplicate-rule.ts';
import { idOf, numberOf } from './ids.ts';
import { timestamp } from './values.ts';

/** Writes that are reported together when all is done, or undone as far back as a savepoint. */
export interface Transaction {
  readonly org: Org;
  readonly caller: Caller;
  write(change: Change): void;
  savepoint(): number;
  rollback(savepoint: number): void;
}

/** Milliseconds. */
const LONG_AGO = 30 * 86_400_000;

/** One Salesforce organisation: its objects, its records (also deleted ones), its clock. */
export class Org {
  readonly schema: Schema;
  readonly id: string;
  readonly #db: DatabaseSync;
  readonly #records: Records;
  readonly #now: () => number;
  readonly #report: ((event: ChangeEvent) => void) | undefined;
  #lastNumber: number;
  /** Keys of transactions differ between runs on one database, also under a clock that stands still. */
  readonly #run = randomUUID();
  #transactions = 0;
  duplicateRules: readonly DuplicateRule[] = [];

  constructor(db: DatabaseSync, now: () => number, number: number, report?: (event: ChangeEvent) => void) {
    this.id = idOf('00D', number);
    this.#db = db;
    this.#now = now;
    this.#report = report;
    this.schema = new Schema(db);
    this.#records = new Records(db, 'salesforce');
    const ids = this.#records.objects().flatMap((object) => this.#records.list(object));
    this.#lastNumber = ids.reduce((last, { id }) => Math.max(last, numberOf(id)), 0);
  }

  now(): number {
    return this.#now();
  }

  /** The time of what a caller does. */
  timestamp(caller?: Caller): string {
    return timestamp(this.#now() - (caller?.longAgo ? LONG_AGO : 0));
  }

  newId(prefix: string): string {
    return idOf(prefix, ++this.#lastNumber);
  }

  /** The record with this id of 18 characters, also a deleted one. */
  held(type: ObjectType, id: string): HeldRecord | undefined {
    return this.#records.get(type.name, id);
  }

  get(type: ObjectType, id: string): HeldRecord | undefined {
    const record = this.held(type, id);
    return record?.fields['IsDeleted'] === true ? undefined : record;
  }

  /** The oldest first, also deleted ones. */
  all(type: ObjectType): HeldRecord[] {
    return this.#records.list(type.name);
  }

  list(type: ObjectType): HeldRecord[] {
    return this.all(type).filter(({ fields }) => fields['IsDeleted'] !== true);
  }

  /** By the text of a value, without regard to letter case; also deleted ones. */
  allBy(type: ObjectType, field: string, value: unknown): HeldRecord[] {
    return field === 'Id'
      ? [this.held(type, String(value))].flatMap((record) => record ?? [])
      : this.#records.findBy(type.name, field, value);
  }

  findBy(type: ObjectType, field: string, value: unknown): HeldRecord[] {
    return this.allBy(type, field, value).filter(({ fields }) => fields['IsDeleted'] !== true);
  }

  page(): string {
    return this.#records.page('Salesforce sandbox');
  }

  /** Does work and reports its changes; a work that throws leaves nothing. */
  transaction<Result>(caller: Caller, work: (transaction: Transaction) => Result): Result {
    const changes: Change[] = [];
    const transaction: Transaction = {
      org: this,
      caller,
      write: (change) => {
        this.#records.put(change.type.name, change.id, change.after);
        changes.push(change);
      },
      savepoint: () => changes.length,
      rollback: (savepoint) => this.#undo(changes.splice(savepoint)),
    };
    const result = this.#inOneWrite(() => {
      try {
        return work(transaction);
      } catch (error) {
        transaction.rollback(0);
        throw error;
      }
    });
    if (this.#report && !caller.longAgo) {
      const key = `${this.#run} ${++this.#transactions}`;
      const events = changeEvents(changes, { caller, key, time: this.#now() });
      for (const event of events) this.#report(event);
    }
    return result;
  }

  /** A database on disk would wait for it after each record otherwise. */
  #inOneWrite<Result>(work: () => Result): Result {
    if (this.#db.isTransaction) return work();
    this.#db.exec('BEGIN');
    try {
      return work();
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  #undo(changes: readonly Change[]): void {
    for (const { kind, type, id, before } of changes.toReversed())
      if (kind === 'CREATE') this.#records.remove(type.name, id);
      else this.#records.put(type.name, id, before);
  }
}
