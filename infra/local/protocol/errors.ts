export type LocalErrorCode = 'port-taken' | 'bad-endpoint' | 'no-credentials';

/** A fault in how the runtime is set up on this machine. The message names the setting and what to change. */
export class LocalError extends Error {
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LocalError';
    this.code = code;
  }
}
