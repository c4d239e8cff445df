import { randomUUID } from 'node:crypto';

type Context = Readonly<Record<string, readonly string[]>>;

interface Details {
  readonly category?: string;
  readonly subCategory?: string;
  readonly context?: Context;
  readonly errors?: readonly object[];
}

/** A refusal in HubSpot's standard shape: for a whole request, or as one entry of a 207. */
export class HubspotError extends Error {
  readonly status: number;
  readonly details: Details;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    details: Details = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.details = details;
    this.headers = headers;
  }

  body(): Record<string, unknown> {
    return { status: 'error', message: this.message, correlationId: randomUUID(), ...this.details };
  }

  /** The entry of a 207. Recorded answers name the input there, and have neither links nor inner errors. */
  entry(traceId?: string): object {
    const { category = 'VALIDATION_ERROR', subCategory, context = {} } = this.details;
    return {
      status: 'error',
      category,
      ...(subCategory && { subCategory }),
      message: this.message,
      context: { ...(traceId !== undefined && { objectWriteTraceId: [traceId] }), ...context },
    };
  }
}

export interface PropertyFault {
  readonly name: string;
  readonly error: string;
  readonly message: string;
}

/** Values that the account's properties do not take. */
export class InvalidProperties extends HubspotError {
  readonly faults: readonly PropertyFault[];

  constructor(faults: readonly PropertyFault[]) {
    super(
      400,
      `Property values were not valid: ${JSON.stringify(faults.map(({ name, error, message }) => ({ isValid: false, message, error, name })))}`,
      {
        category: 'VALIDATION_ERROR',
        errors: faults.map(({ name, error, message }) => ({
          message,
          code: error,
          context: { propertyName: [name] },
        })),
      },
    );
    this.faults = faults;
  }
}

export const validationError = (message: string, context?: Context): HubspotError =>
  new HubspotError(400, message, { category: 'VALIDATION_ERROR', ...(context && { context }) });

export const notFound = (message = 'resource not found'): HubspotError =>
  new HubspotError(404, message, { category: 'OBJECT_NOT_FOUND' });

export const missingScopes = (scopes: readonly string[]): HubspotError =>
  new HubspotError(403, 'One or more of the following scopes are required.', {
    category: 'MISSING_SCOPES',
    context: { requiredGranularScopes: scopes, links: ['https://developers.hubspot.com/scopes'] },
  });

/** A call that HubSpot may have and this sandbox has not. */
export const notInSandbox = (method: string, path: string): HubspotError =>
  new HubspotError(501, `${method} ${path} is not in the HubSpot sandbox`, { category: 'NOT_IN_SANDBOX' });
