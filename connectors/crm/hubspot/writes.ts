import type { SimplePublicObjectBatchInput } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObjectBatchInput.js';
import type { SimplePublicObjectBatchInputUpsert } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObjectBatchInputUpsert.js';
import * as z from 'zod';
import type { Call, CrmFields, CrmRecord, CrmResult } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { type Link, link, linksOf, linkTypes } from './associations.ts';
import { batchesOf, batchOf, bisect, type Sorted } from './batch.ts';
import { faultOf, mergedInto, namedIn, type Refusal, unmentioned } from './faults.ts';
import { type Api, VERSION } from './request.ts';

const Row = z.looseObject({
  id: z.string(),
  objectWriteTraceId: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
  updatedAt: Instant.optional().catch(undefined),
});
type Row = z.infer<typeof Row>;
const Written = batchOf(Row);
type Written = z.infer<typeof Written>;

interface Target {
  readonly object: string;
  readonly keyField: string;
}

/** What is known of each record so far. */
type Outcomes = Map<CrmRecord, CrmResult>;

/**
 * Creates or updates records, then links them. Of records with the same key the last is written, and the result is each
 * one's. A lifecycle stage is sent as it is: HubSpot keeps a later one, and `held` says so. The hub never clears it first,
 * because the stage would be lost if the second of the two writes did not follow.
 */
export const upsert = async (
  api: Api,
  target: Target,
  records: readonly CrmRecord[],
  call: Call,
): Promise<CrmResult[]> => {
  const types = linkTypes(target.object, records);
  const latest = [...new Map(records.map((record) => [record.key, record])).values()];
  const outcomes: Outcomes = new Map();
  const links: Link[] = [];
  const failure = await caught(async () => {
    await write(api, target, latest, outcomes, call);
    links.push(...linksOf(latest, outcomes));
    await link(api, target.object, types, links, call);
  });
  if (failure !== undefined && outcomes.size === 0) throw failure;
  const results = new Map(
    latest.map((record) => [record.key, resultOf(record, outcomes.get(record), links, failure)]),
  );
  return records.map(({ key }) => results.get(key) ?? { key, fault: unmentioned(target.object) });
};

const caught = async (work: () => Promise<void>): Promise<CrmFault | HubError | undefined> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
};

/** A record that was written counts only when it is linked too: until then it belongs to nobody. */
const resultOf = (
  record: CrmRecord,
  outcome: CrmResult | undefined,
  links: readonly Link[],
  failure: CrmFault | HubError | undefined,
): CrmResult => {
  const { key } = record;
  if (outcome !== undefined && 'fault' in outcome) return outcome;
  const own = links.filter((one) => one.key === key);
  const fault = own.find((one) => one.fault !== undefined)?.fault;
  if (fault !== undefined) return { key, fault };
  const isLinked = own.length === Object.keys(record.links ?? {}).length && own.every(({ done }) => done);
  if (outcome !== undefined && isLinked) return outcome;
  return { key, fault: failure === undefined ? unmentioned('a link') : remainder(failure) };
};

/** The fault of the records to which a call that ended early did not come. */
export const remainder = (failure: CrmFault | HubError): CrmFault =>
  failure instanceof CrmFault
    ? failure
    : new CrmFault(failure.code, failure.message, {
        scope: 'connection',
        why: 'throttled',
        ...(typeof failure.retry === 'object' && { afterSeconds: failure.retry.afterSeconds }),
        cause: failure,
      });

const write = async (
  api: Api,
  target: Target,
  records: readonly CrmRecord[],
  outcomes: Outcomes,
  call: Call,
): Promise<void> => {
  const blame = (record: CrmRecord, fault: CrmFault): void => {
    outcomes.set(record, { key: record.key, fault });
  };
  const send = (act: 'update' | 'upsert') => async (batch: readonly CrmRecord[]) => {
    const path = `/crm/objects/${VERSION}/${encodeURIComponent(target.object)}/batch/${act}`;
    const inputs = batch.map((record) =>
      act === 'update' ? updateOf(target, record) : upsertOf(target, record),
    );
    const question = { method: 'POST', path, body: { inputs }, object: target.object } as const;
    try {
      const reply = await api.ask(question, Written, call);
      return 'value' in reply
        ? accepted(target, batch, reply.value, outcomes)
        : refused(target, batch, reply.refusal, reply.status, outcomes);
    } catch (error) {
      // A lock is one record's, but HubSpot does not say whose: all of them are tried again.
      if (!(error instanceof CrmFault) || error.scope !== 'record') throw error;
      for (const record of batch) blame(record, error);
      return {};
    }
  };
  for (const batch of batchesOf(records.filter(({ id }) => id !== undefined)))
    await bisect(batch, send('update'), blame);
  for (const batch of batchesOf(records.filter(({ id }) => id === undefined)))
    await bisect(batch, send('upsert'), blame);
};

const upsertOf = ({ keyField }: Target, record: CrmRecord): SimplePublicObjectBatchInputUpsert => ({
  idProperty: keyField,
  id: record.key,
  objectWriteTraceId: record.key,
  properties: { ...textsOf(record.fields), [keyField]: record.key },
});

const updateOf = ({ keyField }: Target, record: CrmRecord): SimplePublicObjectBatchInput => ({
  id: record.id ?? '',
  objectWriteTraceId: record.key,
  properties: { ...textsOf(record.fields), [keyField]: record.key },
});

/** HubSpot holds texts. An empty one clears a property; several choices are joined by semicolons. */
export const textsOf = (fields: CrmFields): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, textOf(value)]));

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(textOf).join(';');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

const known = (records: readonly (CrmRecord | undefined)[]): readonly CrmRecord[] =>
  records.filter((record) => record !== undefined);

/** The record that each row of an answer, or each error, is about: by its trace id, its key, or HubSpot's own id. */
const finder = ({ keyField }: Target, batch: readonly CrmRecord[]) => {
  const byKey = new Map(batch.map((record) => [record.key, record]));
  const byId = new Map(batch.flatMap((record) => (record.id === undefined ? [] : [[record.id, record]])));
  return {
    ofRow: ({ id, objectWriteTraceId = '', properties }: Row): CrmRecord | undefined =>
      byKey.get(objectWriteTraceId) ?? byKey.get(String(properties[keyField] ?? '')) ?? byId.get(id),
    traced: ({ context, objectWriteTraceId = '' }: Refusal): readonly CrmRecord[] =>
      known([...namedIn(context, 'objectWriteTraceId'), objectWriteTraceId].map((trace) => byKey.get(trace))),
    identified: ({ context }: Refusal): readonly CrmRecord[] =>
      known(
        [...namedIn(context, 'ids'), ...namedIn(context, 'id')].map((id) => byId.get(id) ?? byKey.get(id)),
      ),
  };
};

const accepted = (
  target: Target,
  batch: readonly CrmRecord[],
  { results, errors }: Written,
  outcomes: Outcomes,
): Sorted<CrmRecord> => {
  const { ofRow, traced, identified } = finder(target, batch);
  for (const row of results) {
    const record = ofRow(row);
    if (record !== undefined) outcomes.set(record, writtenOf(target, record, row));
  }
  const unnamed: CrmFault[] = [];
  for (const refusal of errors) {
    const fault = faultOf(refusal, target.object);
    const named = [...traced(refusal), ...identified(refusal)];
    for (const record of named) outcomes.set(record, { key: record.key, fault });
    if (named.length === 0) unnamed.push(fault);
  }
  const missing = batch.filter((record) => !outcomes.has(record));
  const [fault] = unnamed;
  if (fault !== undefined && fault.scope !== 'record') throw fault;
  if (fault !== undefined) return { doubtful: { items: missing, fault } };
  for (const record of missing) outcomes.set(record, { key: record.key, fault: unmentioned(target.object) });
  return {};
};

const writtenOf = ({ object }: Target, record: CrmRecord, row: Row): CrmResult => {
  const { key, fields } = record;
  if (record.id !== undefined && record.id !== row.id) return { key, fault: mergedInto(object, row.id) };
  const held = Object.keys(fields).filter((name) => row.properties[name] !== undefined);
  return {
    ...{ key, id: row.id },
    ...(held.length > 0 && { held: Object.fromEntries(held.map((name) => [name, row.properties[name]])) }),
    ...(row.updatedAt !== undefined && { at: row.updatedAt }),
  };
};

/** A refusal of a whole batch. Where it names its records, the others are sent again without them. */
const refused = (
  target: Target,
  batch: readonly CrmRecord[],
  refusal: Refusal,
  status: number,
  outcomes: Outcomes,
): Sorted<CrmRecord> => {
  const fault = faultOf(refusal, target.object, status);
  if (fault.scope !== 'record') throw fault;
  const { traced, identified } = finder(target, batch);
  // Ids that stand in one batch twice are named too, though each of the records is right.
  const named = [...traced(refusal), ...(fault.why === 'gone' ? identified(refusal) : [])];
  if (named.length === 0) return { doubtful: { items: batch, fault } };
  for (const record of named) outcomes.set(record, { key: record.key, fault });
  return { untried: batch.filter((record) => !named.includes(record)) };
};
