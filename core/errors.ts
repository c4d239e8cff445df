import type { ErrorCode, RetryOf } from './errors/catalogue.ts';
import type { Retry } from './errors/entry.ts';

export type { ErrorCode, LogCode } from './errors/catalogue.ts';
export type { Retry } from './errors/entry.ts';

/**
 * The one error that crosses a boundary between rooms.
 *
 * - `code`: one of the catalogue's (core/errors/catalogue.ts), which explains it; an unknown code does not compile.
 * - `retry`: travels with the error, so that only the outermost adapter turns it into an HTTP status or a batch failure.
 *   Where the catalogue fixes the value for a code, another one does not compile.
 * - `message`: a sentence for the person who must act: what happened, where, what to do. It contains no secret and no
 *   words of a customer.
 *
 * The catalogue is imported as a type only, so that the function that receives webhooks does not load its sentences.
 */
export class HubError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: ErrorCode;
  readonly retry: Retry;

  constructor(code: Code, message: string, options: { retry: RetryOf<Code>; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.retry = options.retry;
  }
}
