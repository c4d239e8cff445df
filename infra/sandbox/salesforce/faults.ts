import type { Fault } from '../protocol/sandbox.ts';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import { ApiError } from './data/errors.ts';
import type { Hidden, Schema } from './schema/schema.ts';

interface Active {
  readonly fault: Fault;
  timesLeft: number;
}

/** The faults in force. */
export class Faults {
  readonly #active = new Set<Active>();
  readonly #schema: Schema;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  add(fault: Fault): () => void {
    const active = { fault, timesLeft: fault.times ?? Number.POSITIVE_INFINITY };
    this.#active.add(active);
    return () => this.#active.delete(active);
  }

  clear(): void {
    this.#active.clear();
  }

  /** Whether a fault of this kind concerns a request; if so it is used once. */
  take(kind: Fault['kind'], concerns: (fault: Fault) => boolean): boolean {
    const active = [...this.#active].find(({ fault }) => fault.kind === kind && concerns(fault));
    if (active === undefined) return false;
    active.timesLeft--;
    if (active.timesLeft <= 0) this.#active.delete(active);
    return true;
  }

  /** What a request cannot see of the org. A fault counts it only if it names what is hidden. */
  hiddenFrom(request: SandboxRequest): Hidden[] {
    const text = textOf(request);
    const hiding = [...this.#active].flatMap(({ fault }) =>
      fault.kind === 'missing-field' || (fault.kind === 'missing-scope' && fault.object !== undefined)
        ? [fault]
        : [],
    );
    for (const fault of hiding)
      if (mentions(text, fault.kind === 'missing-field' ? fault.field : fault.object))
        this.take(fault.kind, (candidate) => candidate === fault);
    return hiding.map(({ kind, object, field }) => ({
      ...(object !== undefined && { object }),
      ...(kind === 'missing-field' && field !== undefined && { field }),
    }));
  }

  /** Whether a request is about the object of a fault: by its name or by the id of a record. */
  concerns(request: SandboxRequest): (fault: Fault) => boolean {
    const text = textOf(request);
    return ({ object }) => {
      const prefix = object === undefined ? undefined : this.#schema.object(object)?.keyPrefix;
      return (
        object === undefined ||
        mentions(text, object) ||
        (prefix !== undefined && new RegExp(`\\b${prefix}[a-zA-Z0-9]{12}`, 'u').test(text))
      );
    };
  }
}

const textOf = ({ path, query, body }: SandboxRequest): string =>
  `${path} ${[...query.values()].join(' ')} ${body}`;

const mentions = (text: string, name: string | undefined): boolean =>
  name === undefined ||
  text
    .toLowerCase()
    .split(/[^\w]+/u)
    .includes(name.toLowerCase());

/** The answers of a Salesforce that is out of order. */
export const faultAnswers = {
  down: () =>
    new ApiError(
      503,
      'SERVER_UNAVAILABLE',
      'We are down for maintenance. Sorry for the inconvenience. Please try again later.',
    ).answer(),
  html: (): SandboxAnswer => ({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<html><body>Please wait …</body></html>',
  }),
  'rate-limited': () =>
    new ApiError(
      403,
      'REQUEST_LIMIT_EXCEEDED',
      'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
    ).answer(),
  'daily-limit': () => new ApiError(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.').answer(),
};

export const sessionEnded = (): SandboxAnswer =>
  new ApiError(401, 'INVALID_SESSION_ID', 'Session expired or invalid').answer();

export const sessionWithoutScope = (): SandboxAnswer =>
  new ApiError(401, 'INVALID_SESSION_ID', 'This session is not valid for use with the REST API').answer();
