/** When a failed operation may be tried again: never, at the caller's own pace, or not before some seconds. */
export type Retry = 'never' | 'later' | { readonly afterSeconds: number };

/**
 * The one error that crosses a border between rooms. `code` is stable and dash-separated, `retry` travels with the
 * error so that only the outermost adapter turns it into an HTTP status or a batch failure, and the message is a
 * sentence for the person who must act: what, where, why, what to do. It never holds a secret or a customer's words.
 */
export class HubError extends Error {
  readonly code: string;
  readonly retry: Retry;

  constructor(code: string, message: string, options: { retry: Retry; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.retry = options.retry;
  }
}
