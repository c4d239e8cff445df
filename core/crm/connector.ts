import type { HubError } from '../errors.ts';
import type { Budget } from './rate-limit.ts';

/** The client name that the hub sends with its changes. CRMs return it in change events, so the hub can skip its own. */
export const HUB_CLIENT = 'tributary';

/** One record to write to a CRM, identified by the hub's own unique key. */
export interface CrmRecord {
  readonly key: string;
  /** Null empties a field. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The CRM's own id of the contact that an interaction belongs to. */
  readonly contact?: string;
}

/** The result of one record, independent of the other records. `taken`: another record already holds a unique value. */
export type CrmResult =
  | { readonly key: string; readonly id: string }
  | { readonly key: string; readonly error: HubError; readonly taken?: boolean };

/** The result of one deletion; `found` is false if the CRM had no such record. */
export type Removal =
  | { readonly key: string; readonly found: boolean }
  | { readonly key: string; readonly error: HubError };

/** An open session. The connector splits records into calls and classifies the errors of the CRM. */
export interface CrmSession {
  /** Creates or updates records of one object by `keyField`. Rejects with `HubError` only if no record was tried. */
  upsert(object: string, keyField: string, records: readonly CrmRecord[]): Promise<CrmResult[]>;
  /** Deletes records of one object by `keyField`, contacts permanently if the CRM supports it. Rejects like `upsert`. */
  remove(object: string, keyField: string, keys: readonly string[]): Promise<Removal[]>;
}

/** A token that all workers share. */
export interface SharedToken {
  /** The current token, or a new one if there is none or only `stale`. `renew` runs in one worker at a time. */
  get(stale: string | undefined, renew: () => Promise<string>): Promise<string>;
}

/** Used by a single worker. */
export const unsharedToken: SharedToken = { get: (_, renew) => renew() };

export interface CrmConnector {
  readonly id: string;
  readonly title: string;
  /** The call budget that all workers of one account share. */
  readonly budget: Budget;
  /** The most records of one call. */
  readonly perCall: number;
  /** The number of calls that the deletion of `records` records of an object needs. */
  readonly callsToRemove: (object: string, records: number) => number;
  /** The data that the CRM retains of deleted records, and for how long; shown on the receipt of an erasure. */
  readonly keeps: readonly string[];
  /** Opens a session with the stored secret of the CRM. */
  open(credentials: unknown, token?: SharedToken): Promise<CrmSession>;
}
