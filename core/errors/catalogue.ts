import { commandErrors } from './commands.ts';
import type { CatalogueEntry, Retry } from './entry.ts';
import { failureErrors } from './failures.ts';
import { logCodes } from './log.ts';
import { requestErrors } from './requests.ts';

/** The catalogue by who meets a code. */
export const sections = {
  failures: failureErrors,
  requests: requestErrors,
  commands: commandErrors,
  log: logCodes,
} as const;

const errors = { ...failureErrors, ...requestErrors, ...commandErrors };
type Errors = typeof errors;

/** Every error and log code of the hub. An entry whose code ends with `-` explains all codes that begin with it. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = { ...errors, ...logCodes };

type Prefix = Extract<keyof Errors, `${string}-`>;

/** The codes that a `HubError` may have. Of codes that a CRM chooses itself only the beginning is known. */
export type ErrorCode = Exclude<keyof Errors, Prefix> | `${Prefix}${string}`;

/** The codes that a log line may have. */
export type LogCode = ErrorCode | keyof typeof logCodes;

/** The `retry` that the catalogue fixes for a code, or any value where it fixes none. */
export type RetryOf<Code extends ErrorCode> = Code extends keyof Errors
  ? Errors[Code] extends { readonly retry: infer Fixed }
    ? Fixed
    : Retry
  : Retry;

/** An entry as the API shows it. `docs`: a path in the repository, with the anchor of the entry. */
export interface Explanation extends Pick<CatalogueEntry, 'means' | 'advice'> {
  readonly docs: string;
}

/**
 * Explains a stored code by its own entry, else by that of its beginning, else in general: a row may have been written
 * by an earlier or a later release.
 */
export const explanationOf = (code: string): Explanation => {
  const listed = Object.hasOwn(catalogue, code)
    ? code
    : Object.keys(catalogue).find((prefix) => prefix.endsWith('-') && code.startsWith(prefix));
  const entry = listed === undefined ? undefined : catalogue[listed];
  return {
    means: entry?.means ?? 'The stage could not do this piece of work.',
    advice: entry?.advice ?? 'Do what the reason says, then replay.',
    docs: listed === undefined ? 'docs/errors.md' : `docs/errors.md#${listed}`,
  };
};
