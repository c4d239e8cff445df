import type { SandboxAnswer } from '../../protocol/server.ts';

/** A refusal of a whole request, as the REST API words it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly string[] | undefined;

  constructor(status: number, code: string, message: string, fields?: readonly string[]) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }

  answer(): SandboxAnswer {
    const error = { message: this.message, errorCode: this.code };
    return { status: this.status, body: [this.fields ? { ...error, fields: this.fields } : error] };
  }
}

/** Why one record was not saved. `details` are members that some codes add. */
export class SaveError extends Error {
  readonly code: string;
  readonly fields: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    fields: readonly string[] = [],
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.code = code;
    this.fields = fields;
    this.details = details;
  }

  /** As an element of `errors` in the result of a collection. */
  inCollection(): Readonly<Record<string, unknown>> {
    return { statusCode: this.code, message: this.message, fields: this.fields, ...this.details };
  }

  /** As the answer to a request about one record. */
  answer(): SandboxAnswer {
    const error = { message: this.message, errorCode: this.code, fields: this.fields, ...this.details };
    return { status: GONE.includes(this.code) && this.fields.length === 0 ? 404 : 400, body: [error] };
  }

  /** As the cell `sf__Error` of a bulk result. */
  inBulk(): string {
    return `${this.code}:${this.message}:${this.fields.join(', ')}${this.fields.length > 0 ? ' ' : ''}--`;
  }
}

/** Of the record itself; of another to which a field points, these are plain refusals. */
const GONE = ['ENTITY_IS_DELETED', 'INVALID_CROSS_REFERENCE_KEY'];

export const notFound = (message = 'The requested resource does not exist'): ApiError =>
  new ApiError(404, 'NOT_FOUND', message);

/** What the sandbox does not imitate is said, never guessed. */
export const notInSandbox = (call: string): ApiError =>
  new ApiError(501, 'NOT_IN_THE_SANDBOX', `This call is not in the Salesforce sandbox: ${call}`);
