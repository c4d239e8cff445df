import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxAnswer, SandboxRequest } from '../../protocol/server.ts';
import {
  mayNotRead,
  mayNotWrite,
  noResource,
  notAuthenticated,
  RestError,
  transactionCancelled,
} from '../data/errors.ts';
import type { Imports } from '../data/imports.ts';
import type { Instance } from '../data/instance.ts';
import { batchApi, itemsOf } from '../rest/batch.ts';
import type { Call } from '../rest/call.ts';
import { importApi } from '../rest/import.ts';
import { type TableSettings, tableApi } from '../rest/table.ts';
import type { Faults } from './faults.ts';
import type { RateLimit } from './limits.ts';
import { type OAuth, refusedLogin } from './oauth.ts';

interface Parts {
  readonly instance: Instance;
  readonly imports: Imports;
  readonly faults: Faults;
  readonly oauth: OAuth;
  readonly limit: RateLimit;
  readonly settings: TableSettings;
  /** How late a slow answer is, in milliseconds. */
  readonly slowness: number;
  readonly url: () => string;
}

const HIBERNATING =
  '<html><head><title>Instance Hibernating page</title></head><body>This instance is hibernating</body></html>';
const DOWN =
  '<html><head><title>503 Service Unavailable</title></head><body>Service Unavailable</body></html>';
/** How far off the next hour of a rule is: soon under the fault `rate-limited`, a whole hour under `daily-limit`. */
const waits = { 'rate-limited': 30_000, 'daily-limit': 3_600_000 } as const;
const operations: Readonly<Record<string, 'Insert' | 'Delete'>> = { POST: 'Insert', DELETE: 'Delete' };

const segmentsOf = (path: string): readonly string[] => {
  const [, rest] = /^\/api\/now\/(?:v\d+\/)?(.+)$/u.exec(path) ?? [];
  return rest === undefined ? [] : rest.split('/').filter(Boolean).map(decodeURIComponent);
};

/** What every request passes: faults, the login, the rate limit; then the API that it names. */
export class Gate {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async answer(request: SandboxRequest): Promise<SandboxAnswer> {
    const { faults, imports, oauth, slowness } = this.#parts;
    imports.runDue();
    const call = this.#call(request);
    const calls = segmentsOf(request.path)[0] === 'batch' ? itemsOf(call) : [call];
    const tables = calls.flatMap((one) => this.#tables(one));
    if (faults.take('slow', tables)) await delay(slowness, undefined, { ref: false });
    if (faults.take('down', tables)) return { status: 503, body: DOWN };
    if (faults.take('html', tables))
      return { status: 200, headers: { 'content-type': 'text/html;charset=UTF-8' }, body: HIBERNATING };
    if (request.path === '/oauth_token.do')
      return faults.take('login-refused') ? refusedLogin() : oauth.token(request);
    const answer = this.#answered(request, call, tables);
    const writes = calls.some(({ method }) => method !== 'GET');
    return writes && answer.status < 400 && faults.take('lost-response', tables)
      ? { ...answer, hangUp: true }
      : answer;
  }

  #answered(request: SandboxRequest, call: Call, tables: readonly string[]): SandboxAnswer {
    let headers: Readonly<Record<string, string>> = {};
    try {
      headers = this.#admit(request, tables);
      const answer = this.#served(call);
      return { ...answer, headers: { ...headers, ...answer.headers } };
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      const answer = error.answer();
      return { ...answer, headers: { ...headers, ...answer.headers } };
    }
  }

  /** Returns the headers that the rate limit gives an answer. */
  #admit({ headers }: SandboxRequest, tables: readonly string[]): Readonly<Record<string, string>> {
    const { faults, oauth, limit } = this.#parts;
    const user = oauth.user(headers['authorization']);
    if (user === undefined || faults.take('login-refused')) throw notAuthenticated();
    for (const kind of ['rate-limited', 'daily-limit'] as const)
      if (faults.take(kind, tables)) throw limit.exceeded(waits[kind]);
    return limit.count();
  }

  #served(call: Call): SandboxAnswer {
    const [api] = segmentsOf(call.path);
    if (api !== 'batch') return this.#single(call);
    return batchApi(call, this.#parts.faults.servicedItems(), (item) => {
      try {
        return this.#single(item);
      } catch (error) {
        if (error instanceof RestError) return error.answer();
        throw error;
      }
    });
  }

  #single(call: Call): SandboxAnswer {
    const { instance, imports, faults, settings } = this.#parts;
    const [api, ...segments] = segmentsOf(call.path);
    this.#refuse(call);
    instance.schema.hide(faults.hidden(`${call.path} ${call.query} ${call.body}`));
    try {
      return instance.transaction(() => {
        if (api === 'table') return tableApi(call, segments, settings);
        if (api === 'import') return importApi(call, segments, imports);
        throw noResource();
      });
    } finally {
      instance.schema.hide([]);
    }
  }

  #refuse(call: Call): void {
    const { faults } = this.#parts;
    const tables = this.#tables(call);
    const reads = call.method === 'GET';
    if (faults.take('transaction-cancelled', tables)) throw transactionCancelled();
    // A write that waits for a lock waits until its transaction is ended.
    if (!reads && faults.take('row-lock', tables)) throw transactionCancelled();
    if (faults.take('missing-scope', tables))
      throw reads ? mayNotRead() : mayNotWrite(operations[call.method] ?? 'Update');
  }

  /** The tables that a request is about: of an import, the target too. */
  #tables({ path }: Call): string[] {
    const [api, table = ''] = segmentsOf(path);
    const target = api === 'import' ? this.#parts.imports.table(table)?.transformMap?.target : undefined;
    return target === undefined ? [table] : [table, target];
  }

  #call({ method, path, query, body, headers }: SandboxRequest): Call {
    const { instance, oauth, url } = this.#parts;
    const user = oauth.user(headers['authorization']) ?? '';
    return { instance, method, path, query, body, writer: { user }, url: url() };
  }
}
