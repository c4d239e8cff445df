import type { DatabaseSync } from 'node:sqlite';
import { Records } from '../protocol/records.ts';
import { type Listening, type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';
import { archiveBatch, purgeContact, readBatch, upsertBatch } from './operations.ts';
import { refusal } from './schema.ts';

export const hubspotToken = 'pat-sandbox-00000000';

export interface HubspotOptions {
  readonly port?: number | undefined;
  /** Properties that the account has added to every object. */
  readonly customProperties: readonly string[];
}

interface HubspotFault {
  readonly status: number;
  readonly category: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

export interface HubspotSandbox extends Listening {
  readonly records: Records;
  /** The number of API requests so far. */
  readonly calls: () => number;
  /** Answers every request with a fault; undefined ends it. */
  fail(fault: HubspotFault | undefined): void;
}

/** HubSpot as its client library sees it: batch upserts by a unique property, partial success, conflicts, limits. */
export const hubspotSandbox = async (
  db: DatabaseSync,
  { port = 0, customProperties }: HubspotOptions,
): Promise<HubspotSandbox> => {
  const records = new Records(db, 'hubspot');
  const state: { fault?: HubspotFault | undefined; calls: number } = { calls: 0 };
  const answer = (request: SandboxRequest): SandboxAnswer => {
    if (request.path === '/') return { status: 200, body: records.page('HubSpot sandbox') };
    state.calls++;
    if (state.fault) return faultAnswer(state.fault);
    if (request.headers['authorization'] !== `Bearer ${hubspotToken}`)
      return refusal(401, 'INVALID_AUTHENTICATION', 'Authentication credentials not found.');
    return route(records, customProperties, request);
  };
  const listening = await serve(answer, port);
  return {
    ...listening,
    records,
    calls: () => state.calls,
    fail: (fault) => {
      state.fault = fault;
    },
  };
};

const faultAnswer = ({ status, category, retryAfter }: HubspotFault): SandboxAnswer => {
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return refusal(status, category, 'The sandbox refuses every request.', headers);
};

const route = (
  records: Records,
  customProperties: readonly string[],
  { method, path, body }: SandboxRequest,
): SandboxAnswer => {
  if (method === 'POST' && path === '/crm/v3/objects/contacts/gdpr-delete')
    return purgeContact(records, body);
  const [, object, verb] = /^\/crm\/objects\/[\w-]+\/(\w+)\/batch\/(read|archive|upsert)$/u.exec(path) ?? [];
  if (method !== 'POST' || object === undefined)
    return refusal(404, 'OBJECT_NOT_FOUND', `Unable to find ${method} ${path}`);
  if (verb === 'read') return readBatch(records, object, body);
  return verb === 'archive'
    ? archiveBatch(records, object, body)
    : upsertBatch(records, customProperties, object, body);
};
