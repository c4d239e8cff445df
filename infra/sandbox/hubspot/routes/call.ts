import type { z } from 'zod';
import type { SandboxAnswer, SandboxRequest } from '../../protocol/server.ts';
import type { Account, Source } from '../account/account.ts';
import { type ObjectType, objectType } from '../account/object-types.ts';
import { parseBody } from './requests.ts';

/** One request to the API, after authentication. */
export class Call {
  readonly account: Account;
  readonly request: SandboxRequest;
  /** Whether the path has a date for a version. */
  readonly dated: boolean;
  readonly #params: Readonly<Record<string, string>>;

  constructor(
    account: Account,
    request: SandboxRequest,
    params: Readonly<Record<string, string>>,
    dated: boolean,
  ) {
    this.account = account;
    this.request = request;
    this.dated = dated;
    this.#params = params;
  }

  param(name: string): string {
    return this.#params[name] ?? '';
  }

  /** The object type that a part of the path names. */
  type(name = 'object'): ObjectType {
    return objectType(this.param(name));
  }

  get source(): Source {
    return this.account.integration();
  }

  body<Schema extends z.ZodType>(schema: Schema): z.infer<Schema> {
    return parseBody(schema, this.request.body);
  }

  /** `?name=a,b` or `?name=a&name=b`. */
  list(name: string): string[] {
    return this.request.query.getAll(name).flatMap((text) => text.split(',').filter(Boolean));
  }
}

export interface Route {
  readonly method: string;
  readonly path: string;
  /** What the token must be allowed to do with the objects in the path. */
  readonly access: 'read' | 'write' | 'none';
  readonly handle: (call: Call) => SandboxAnswer;
}

export const route = (
  access: Route['access'],
  method: string,
  path: string,
  handle: Route['handle'],
): Route => ({ access, method, path, handle });

export const json = (status: number, body: unknown): SandboxAnswer => ({ status, body });

/** The answer of a batch. `startedAt` and `completedAt` are the same moment here. */
export const batchAnswer = (
  account: Account,
  status: number,
  results: readonly unknown[],
  errors: readonly object[] = [],
  numErrors = errors.length,
): SandboxAnswer => {
  const at = new Date(account.now()).toISOString();
  return json(status, {
    status: 'COMPLETE',
    results,
    ...(errors.length > 0 && { numErrors, errors }),
    startedAt: at,
    completedAt: at,
  });
};

export const noContent: SandboxAnswer = { status: 204, body: undefined };
