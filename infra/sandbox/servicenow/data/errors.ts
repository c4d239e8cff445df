import type { SandboxAnswer } from '../../protocol/server.ts';

/** A refusal in the shape that every REST API of ServiceNow has. */
export class RestError extends Error {
  readonly status: number;
  readonly detail: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    detail: string | null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }

  answer(): SandboxAnswer {
    return {
      status: this.status,
      headers: this.headers,
      body: { error: { message: this.message, detail: this.detail }, status: 'failure' },
    };
  }
}

export const notAuthenticated = (): RestError =>
  new RestError(401, 'User Not Authenticated', 'Required to provide Auth information', {
    'WWW-Authenticate': 'Basic realm="Service-now"',
  });

export const invalidTable = (table: string): RestError =>
  new RestError(400, `Invalid table ${table}`, `Table ${table} does not exist`);

export const notFound = (): RestError =>
  new RestError(404, 'No Record found', "Record doesn't exist or ACL restricts the record retrieval");

export const unreadable = (): RestError =>
  new RestError(400, 'Exception while reading request', 'The payload is not valid JSON.');

export const noResource = (): RestError =>
  new RestError(400, 'Requested URI does not represent any resource', null);

/** 403 for what an access control, a data policy or the database does not let through. */
export const operationFailed = (detail: string): RestError => new RestError(403, 'Operation Failed', detail);

export const mayNotRead = (): RestError => new RestError(403, 'Insufficient rights to query records', null);

export const mayNotWrite = (operation: 'Insert' | 'Update' | 'Delete'): RestError =>
  operationFailed(`ACL Exception ${operation} Failed due to security constraints`);

/** The transaction quota ended a request that took too long. Nothing was written. */
export const transactionCancelled = (): RestError =>
  new RestError(
    500,
    'Transaction cancelled: maximum execution time exceeded',
    'maximum execution time exceeded Check logs for error trace or enable glide.rest.debug property to verify REST request processing',
  );
