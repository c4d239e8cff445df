export type LocalErrorCode = 'port-taken' | 'bad-endpoint' | 'bad-option' | 'no-credentials';

/** An invalid setting of the runtime. The message contains the setting and the correction. */
export class LocalError extends Error {
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LocalError';
    this.code = code;
  }
}
