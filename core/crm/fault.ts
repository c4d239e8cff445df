import type { RetryOf } from '../errors/catalogue.ts';
import { type ErrorCode, HubError } from '../errors.ts';

/** What a fault concerns: one record, every record of an object, or everything that the CRM does for the hub. */
export type Scope = 'record' | 'object' | 'connection';

/**
 * - `raced`: somebody else wrote at the same time, or a lock is held.
 * - `gone`: the record was deleted, or merged into another one.
 * - `taken`: another record already holds a value that only one may hold.
 * - `invalid`: the CRM does not accept a value of the record.
 * - `setup`: something in the CRM or in the mapping must be changed by a person: a field, a permission, a login.
 * - `throttled`: the CRM accepts no more calls for some time.
 * - `down`: the CRM does not answer, or answers something that is not of its API.
 */
export type Why = 'raced' | 'gone' | 'taken' | 'invalid' | 'setup' | 'throttled' | 'down';

/**
 * A refusal of a CRM, classified by its connector. `records`: for `taken` the CRM's ids of the records that are there
 * already, as far as it names them; for `gone` that of the record into which this one was merged. `object`, `field`: those
 * that are concerned, as the CRM's API names them. A session that the sync function opens names the object of every fault.
 */
export class CrmFault extends HubError {
  readonly scope: Scope;
  readonly why: Why;
  readonly records: readonly string[];
  readonly object: string | undefined;
  readonly field: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    {
      scope,
      why,
      records = [],
      object,
      field,
      afterSeconds,
      cause,
    }: {
      readonly scope: Scope;
      readonly why: Why;
      readonly records?: readonly string[];
      readonly object?: string | undefined;
      readonly field?: string | undefined;
      /** How long the CRM asks to wait. */
      readonly afterSeconds?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    const retry =
      afterSeconds !== undefined
        ? { afterSeconds }
        : permanent.has(why)
          ? ('never' as const)
          : ('later' as const);
    super(code, message, { retry: retry as RetryOf<ErrorCode>, ...(cause !== undefined && { cause }) });
    this.name = 'CrmFault';
    this.scope = scope;
    this.why = why;
    this.records = records;
    this.object = object;
    this.field = field;
  }
}

const permanent: ReadonlySet<Why> = new Set(['invalid', 'taken', 'gone', 'setup']);
