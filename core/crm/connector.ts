import type { HubError } from '../errors.ts';
import type { Budget } from './rate-limit.ts';

/** What the hub calls itself where a CRM asks who makes a change, so that its own changes are known when they are told back. */
export const HUB_CLIENT = 'tributary';

/** One record on its way into a CRM, addressed by our own unique key. */
export interface CrmRecord {
  readonly key: string;
  /** A field of null is emptied. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The CRM's own id of the contact that an interaction belongs to. */
  readonly contact?: string;
}

/** What became of one record. One bad record never decides about its neighbours. `taken`: another record holds a value that only one may hold. */
export type CrmResult =
  | { readonly key: string; readonly id: string }
  | { readonly key: string; readonly error: HubError; readonly taken?: boolean };

/** What became of a record that was to be deleted; `found` is false where there was none. */
export type Removal =
  | { readonly key: string; readonly found: boolean }
  | { readonly key: string; readonly error: HubError };

/** An open session. Chunking, the client library and the reading of its errors are the connector's. */
export interface CrmSession {
  /** Creates or updates records of one object by `keyField`. Rejects with `HubError` only where no record could be tried. */
  upsert(object: string, keyField: string, records: readonly CrmRecord[]): Promise<CrmResult[]>;
  /** Deletes records of one object by `keyField`, contacts for good where the CRM can. Rejects like `upsert`. */
  remove(object: string, keyField: string, keys: readonly string[]): Promise<Removal[]>;
}

/** A token that all workers share. */
export interface SharedToken {
  /** The token in use, or where there is none but `stale`, a new one: `renew` runs in one worker at a time. */
  get(stale: string | undefined, renew: () => Promise<string>): Promise<string>;
}

/** For one worker alone. */
export const unsharedToken: SharedToken = { get: (_, renew) => renew() };

export interface CrmConnector {
  readonly id: string;
  readonly title: string;
  /** What one account's workers may call together. */
  readonly budget: Budget;
  /** How many records one call takes. */
  readonly perCall: number;
  /** How many calls it takes to delete so many records of an object. */
  readonly callsToRemove: (object: string, records: number) => number;
  /** What the CRM keeps of deleted records, and for how long: for the receipt of an erasure. */
  readonly keeps: readonly string[];
  /** Opens a session with the CRM's secret as it is stored. */
  open(credentials: unknown, token?: SharedToken): Promise<CrmSession>;
}
