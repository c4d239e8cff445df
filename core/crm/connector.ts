import type { Instant } from '../interaction/interaction.ts';
import type { CrmFault } from './fault.ts';
import type { Budget } from './rate-limit.ts';

/** The client name that the hub sends with its changes. CRMs return it in change events, so the hub can skip its own. */
export const HUB_CLIENT = 'tributary';

/** Fields by the names of the CRM's API. */
export type CrmFields = Readonly<Record<string, unknown>>;

/** What every call to a CRM gets. */
export interface Call {
  /** Aborts before the time of the function ends; the connector passes it on to every request. */
  readonly signal: AbortSignal;
  /**
   * Reserves one request in the budget that all workers of the account share; awaited before every request, logins
   * excepted. Rejects with `HubError` `crm-pause` where none is left.
   */
  readonly spend: () => Promise<void>;
  /** Waits some milliseconds between two attempts. Rejects where the call is aborted. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Reports what the CRM says about its quota, for example in headers. `perSeconds`: the length of its window. */
  readonly observe?: (quota: {
    readonly used: number;
    readonly limit: number;
    readonly perSeconds: number;
  }) => void;
  /** The hub's clock in epoch milliseconds: `examine` judges the clock of the CRM by it, and it measures how long a batch took. */
  readonly now?: () => number;
}

/** One record to write to a CRM. */
export interface CrmRecord {
  /** The hub's own unique key. */
  readonly key: string;
  /** The CRM's own id, if it is known: then the record is found by it, and the key is written as a field. */
  readonly id?: string;
  /** Null empties a field. */
  readonly fields: CrmFields;
  /** The CRM's ids of other records to which this one belongs, by the name of the link in the mapping. */
  readonly links?: Readonly<Record<string, string>>;
}

/** A record under another one, such as a comment of a case, that has no field for the hub's key. */
export interface ChildRecord {
  /** Its result bears this key; it is not sent. */
  readonly key: string;
  /** The CRM's id of the other record. */
  readonly parent: string;
  readonly fields: CrmFields;
}

/** The result of one record, independent of the other records. */
export type CrmResult =
  | {
      readonly key: string;
      readonly id: string;
      /** The values that the CRM holds after the write, where its answer says so. */
      readonly held?: CrmFields;
      /** The CRM's own time of the write, where its answer says so. */
      readonly at?: Instant;
    }
  | { readonly key: string; readonly fault: CrmFault };

/** The result of one deletion; `found` is false if the CRM had no such record. */
export type Removal =
  | { readonly key: string; readonly found: boolean }
  | { readonly key: string; readonly fault: CrmFault };

/** By what a record is looked up: one of its e-mail addresses, one of its phone numbers in any spelling, or a field. */
export type LookUp = 'email' | 'phone' | { readonly field: string };

/** A record as the CRM holds it now. */
export interface HeldRecord {
  readonly id: string;
  /**
   * The object of the record where it is another one than was asked for, because the CRM knows the person only so: the hub
   * logs activity at it and writes nothing to it.
   */
  readonly object?: string;
  /** The fields that were asked for; null or absent where empty. */
  readonly fields: CrmFields;
  /** All of its e-mail addresses and phone numbers, the first of each the primary one, as the CRM spells them. */
  readonly emails: readonly string[];
  readonly phones: readonly string[];
  /** The CRM's id of the contact to which it belongs, for objects that belong to contacts. */
  readonly contact?: string;
  /** Whether staff or an import made it; otherwise visitors may have typed what it holds. */
  readonly byStaff: boolean;
  readonly createdAt: Instant;
  /** The CRM's own time of the last change. */
  readonly modifiedAt: Instant;
}

/** Some records of a list; without `next` there are no more. */
export interface ListedPage {
  readonly records: readonly HeldRecord[];
  readonly next?: string;
  readonly total?: number;
  readonly afterSeconds?: number;
}

/** One field of an object as the CRM describes it. */
export interface FieldDescription {
  readonly type: 'text' | 'number' | 'boolean' | 'date' | 'datetime' | 'choice' | 'reference' | 'other';
  /** The most characters. */
  readonly length?: number;
  /** The only values that the field accepts, if they are restricted. */
  readonly choices?: readonly string[];
  /** Whether a new record needs a value. */
  readonly required: boolean;
  readonly writable: boolean;
  /** Whether a record can be written by the field's value. */
  readonly isKey: boolean;
}

/** The fields of an object by their names. */
export type ObjectDescription = ReadonlyMap<string, FieldDescription>;

/** What a check of the connection found: `fault` if the sync does not work with it, else a remark. */
export interface Finding {
  readonly about: string;
  /** What is the case, and what to do about it. */
  readonly says: string;
  readonly ok: boolean;
}

/** What became of records that the CRM wrote by itself. */
export interface BulkOutcome {
  /** False where the CRM or a person ended the work before its end, or nothing is known of it. */
  readonly complete: boolean;
  /** Of the records that were tried. */
  readonly results: readonly CrmResult[];
  /** Keys of records that were not. */
  readonly untried: readonly string[];
  /** The CRM's id of a record that was written with exactly these values. */
  idOf(record: CrmRecord): string | undefined;
}

/** What findings about the import set of a mapping are about. */
export const IMPORT_SET = 'import set';

/** A table of a CRM from which its administrator fills another object, by the field that holds the hub's key. */
export interface ImportBy {
  readonly table: string;
  readonly object: string;
  readonly keyField: string;
}

/** Writes of records through such a table, so that the rules of the CRM for imports apply to them. */
interface RecordImports {
  /** The column of such a table for a field of the other object. */
  columnOf(field: string): string;
  /** As `upsert` of a session. */
  upsert(by: ImportBy, records: readonly CrmRecord[], call: Call): Promise<CrmResult[]>;
  /** Whether rows become the records that are meant, with these fields. */
  examine(by: ImportBy, fields: readonly string[], call: Call): Promise<readonly Finding[]>;
  /** Creates what is missing. Rejects with a `CrmFault` that says the steps of a person where the API cannot. */
  create(by: ImportBy, fields: readonly string[], call: Call): Promise<void>;
}

/** Writes of many records as work that the CRM does by itself, for jobs: fewer requests, and later. */
export interface BulkWrites {
  /** For fewer records `upsert` is the better way. */
  readonly from: number;
  /** As many as one work takes. */
  readonly most: number;
  /** Whether work can write records of an object by this field, which holds the hub's key. */
  takes(object: string, keyField: string, call: Call): Promise<boolean>;
  /**
   * Prepares work and resolves with the CRM's id of it, which is stored before `send`. Nothing is written by it. With
   * `keyField` it creates or updates records by that, else it updates records by the CRM's ids.
   */
  begin(object: string, keyField: string | undefined, call: Call): Promise<string>;
  /** Hands over records and starts the work. False where it was started by an earlier try. */
  send(work: string, keyField: string, records: readonly CrmRecord[], call: Call): Promise<boolean>;
  /** Undefined while the CRM is at work. */
  outcome(work: string, keyField: string, call: Call): Promise<BulkOutcome | undefined>;
  /** Ends work; what was written until then stays written. */
  abort(work: string, call: Call): Promise<void>;
}

/**
 * An open session. The connector splits what it is given into requests, halves a request that is refused as a whole until
 * the record at fault is alone, and classifies every refusal. It rejects with a `CrmFault` of the scope `object` or
 * `connection` if no record was tried; a request that reached nobody is `down`, also where its answer was lost.
 */
export interface CrmSession {
  /** An object that the CRM does not have, or does not show, is absent. */
  describe(objects: readonly string[], call: Call): Promise<ReadonlyMap<string, ObjectDescription>>;
  /** The records that hold one of these values, by value: e-mail addresses in lower case, phone numbers as E.164. */
  find(
    object: string,
    by: LookUp,
    values: readonly string[],
    fields: readonly string[],
    call: Call,
  ): Promise<ReadonlyMap<string, readonly HeldRecord[]>>;
  /**
   * Records by the CRM's own ids. One that was deleted is absent; one that was merged, or became a record of another object,
   * is the record that remains, whose id differs from the one that was asked for.
   */
  read(
    object: string,
    ids: readonly string[],
    fields: readonly string[],
    call: Call,
  ): Promise<ReadonlyMap<string, HeldRecord>>;
  /**
   * All records of an object, some hundred at a time; one that changes meanwhile may be listed again. `cursor`: `next` of
   * the page before. `afterSeconds`: set while the CRM reads them by itself, which `cursor` names from then on: it is to be
   * stored before anything else, and the next page asked for after so many seconds.
   */
  list(
    object: string,
    fields: readonly string[],
    cursor: string | undefined,
    call: Call,
  ): Promise<ListedPage>;
  /** What changed in an object, for a CRM that reports nothing by itself. Absent where the CRM reports its changes. */
  readonly changes?: (object: string, since: ChangesSince, call: Call) => Promise<Changes>;
  /** Creates or updates records by `keyField`, or by the CRM's id where the record has one. Idempotent. */
  upsert(object: string, keyField: string, records: readonly CrmRecord[], call: Call): Promise<CrmResult[]>;
  /**
   * Creates records under others; `parent` names what leads to these. Not idempotent: a record with a fault `down` may have
   * been created, also where the call rejects with one, and `children` shows whether it was.
   */
  addChildren(
    object: string,
    parent: string,
    records: readonly ChildRecord[],
    call: Call,
  ): Promise<CrmResult[]>;
  /** The records under others, by the CRM's ids of these. Entries of a journal have the id of the record itself. */
  children(
    object: string,
    parent: string,
    ids: readonly string[],
    fields: readonly string[],
    call: Call,
  ): Promise<ReadonlyMap<string, readonly { readonly id: string; readonly fields: CrmFields }[]>>;
  /** Deletes records of `children`. Absent where the CRM deletes them with the record to which they belong. */
  readonly removeChildren?: (object: string, ids: readonly string[], call: Call) => Promise<void>;
  /** Deletes records of one object by `keyField`, contacts permanently if the CRM supports it. */
  remove(object: string, keyField: string, keys: readonly string[], call: Call): Promise<Removal[]>;
  /** Absent if the CRM has no such thing. */
  readonly bulkWrites?: BulkWrites;
  /** Absent if the CRM has no such tables. */
  readonly imports?: RecordImports;
  /** Creates the field that holds the hub's key. Absent if the CRM's API cannot. */
  readonly createKeyField?: (object: string, keyField: string, call: Call) => Promise<void>;
  /**
   * The CRM's own id of the account to which the credentials lead, for example of the org; undefined where it does not say
   * it. Costs one request, or two where the first is not allowed.
   */
  account(call: Call): Promise<string | undefined>;
  /** What a person should know about the account: version, permissions, quota, clock. Costs some requests. */
  examine(call: Call): Promise<readonly Finding[]>;
}

/** What happened to the records of one object since a cursor, the earliest change first. */
export interface Changes {
  /** Records that were made or changed, each as it is now. */
  readonly records: readonly HeldRecord[];
  /** Records that were deleted, as far as the CRM lists them. */
  readonly deleted: readonly { readonly id: string; readonly at: Instant }[];
  /** The cursor of the next call. */
  readonly next: string;
  /** Whether the CRM has more now. */
  readonly hasMore: boolean;
}

/** What to ask of the changes of an object. */
export interface ChangesSince {
  /** The fields of the records. */
  readonly fields: readonly string[];
  /** `next` of the call before; without one the changes since `from` are asked for. */
  readonly cursor?: string;
  readonly from: Instant;
  /** Later changes are left to the next call: a write may become visible after others that are as late. */
  readonly until: Instant;
}

/** A token that all workers share. */
export interface SharedToken {
  /** The current token, or a new one if there is none or only `stale`. `renew` runs in one worker at a time. */
  get(stale: string | undefined, renew: () => Promise<string>): Promise<string>;
}

/** Used by a single worker. */
export const unsharedToken: SharedToken = { get: (_, renew) => renew() };

/** One way to log in to a CRM. */
export interface CrmLogin {
  readonly id: string;
  readonly title: string;
  /** The parts of the secret. A part with `lines` has several lines and is read from a file or the environment. */
  readonly secrets: Readonly<
    Record<string, { readonly about: string; readonly optional?: true; readonly lines?: true }>
  >;
  /** What an admin does in the CRM, one step each. */
  readonly steps: readonly string[];
}

export interface CrmConnector {
  readonly id: string;
  readonly title: string;
  /** The call budget that all workers of one account share; read anew before each call. */
  readonly budget: Budget;
  /** Whether the CRM reports its changes, or the hub asks for them. */
  readonly changes: 'reported' | 'asked';
  /** As many customers and interactions as a backfill writes at once: what the CRM takes in some seconds. Default 200. */
  readonly backfillBatch?: number;
  /** `text`: every value is sent as its text, a list joined; `typed`: a value must be of the field's type. */
  readonly values: 'typed' | 'text';
  /** Whether a mapping may name an import set. */
  readonly importSets?: true;
  /** Set where nothing describes the objects of the CRM, so that no mapping can be compared with them. */
  readonly describesNothing?: true;
  /** Whether records of an object, which has these fields, can be linked to records of `target` by a link of this name. */
  hasLink(object: string, name: string, target: string, fields: ObjectDescription): boolean;
  /** The ways to log in, with what each needs and how to get it. */
  readonly logins: readonly CrmLogin[];
  /** The address of the vendor's documentation of its API. */
  readonly docs: string;
  /** The data that the CRM retains of deleted records, and for how long; shown on the receipt of an erasure. */
  readonly keeps: readonly string[];
  /**
   * Opens a session with the stored secret of the CRM. Rejects with a `CrmFault` of the connection: `setup` for an empty
   * or wrong secret and for a refused login, `down` otherwise.
   */
  open(credentials: unknown, token: SharedToken, signal: AbortSignal): Promise<CrmSession>;
}
