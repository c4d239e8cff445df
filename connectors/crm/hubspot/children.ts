import type { SimplePublicObjectBatchInputForCreate } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObjectBatchInputForCreate.js';
import * as z from 'zod';
import type { Call, ChildRecord, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import { readTime } from '../../../core/formats/payload.ts';
import { associatedIds, linkType } from './associations.ts';
import { batchesOf, batchOf, bisect, type Sorted } from './batch.ts';
import { faultOf, namedIn, ofObject, unmentioned } from './faults.ts';
import { readBatch } from './read.ts';
import { type Api, VERSION } from './request.ts';
import { remainder, textsOf } from './writes.ts';

const Row = z.looseObject({
  id: z.string(),
  objectWriteTraceId: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
});
const Created = batchOf(Row);

/** Creates records with the association to their parent: `batch/create` takes both, and is the only request that does. */
export const addChildren = async (
  api: Api,
  { object, parent }: { readonly object: string; readonly parent: string },
  records: readonly ChildRecord[],
  call: Call,
): Promise<CrmResult[]> => {
  const { category, typeId } = linkType(object, parent);
  const results = new Map<string, CrmResult>();
  const blame = ({ key }: ChildRecord, fault: CrmFault): void => void results.set(key, { key, fault });
  const path = `/crm/objects/${VERSION}/${encodeURIComponent(object)}/batch/create`;
  const inputOf = ({ key, parent: id, fields }: ChildRecord): CreateInput => ({
    objectWriteTraceId: key,
    properties: textsOf(fields),
    associations: [{ to: { id }, types: [{ associationCategory: category, associationTypeId: typeId }] }],
  });
  const send = async (batch: readonly ChildRecord[]): Promise<Sorted<ChildRecord>> => {
    const body = { inputs: batch.map(inputOf) };
    const reply = await api.ask({ method: 'POST', path, body, object }, Created, call);
    if ('refusal' in reply) {
      const fault = faultOf(reply.refusal, object, reply.status);
      if (fault.scope !== 'record') throw fault;
      return { doubtful: { items: batch, fault } };
    }
    for (const refusal of reply.value.errors)
      for (const key of [...namedIn(refusal.context, 'objectWriteTraceId'), refusal.objectWriteTraceId ?? ''])
        if (batch.some((one) => one.key === key)) results.set(key, { key, fault: faultOf(refusal, object) });
    const open = batch.filter(({ key }) => !results.has(key));
    for (const row of reply.value.results) {
      const at = open.findIndex((one) => isRowOf(row, one));
      for (const { key } of at < 0 ? [] : open.splice(at, 1)) results.set(key, { key, id: row.id });
    }
    return {};
  };
  try {
    for (const batch of batchesOf(records)) await bisect(batch, send, blame);
  } catch (error) {
    if (!(error instanceof HubError) || results.size === 0) throw error;
    for (const one of records) if (!results.has(one.key)) blame(one, remainder(error));
  }
  await blameParents(api, parent, records, results, call);
  return records.map(({ key }) => results.get(key) ?? { key, fault: unmentioned(object) });
};

/** HubSpot answers in any order, and to a creation without the trace id. */
const isRowOf = (
  { objectWriteTraceId, properties }: z.infer<typeof Row>,
  { key, fields }: ChildRecord,
): boolean =>
  objectWriteTraceId === undefined
    ? Object.entries(textsOf(fields)).every(([name, text]) => isSameText(properties[name], text))
    : objectWriteTraceId === key;

/** HubSpot spells instants with milliseconds. */
const isSameText = (held: unknown, sent: string): boolean =>
  held === undefined || held === sent || readTime(String(held)) === (readTime(sent) ?? NaN);

/** Of an association that it refuses HubSpot does not say whether the other record is gone. */
const blameParents = async (
  api: Api,
  parent: string,
  records: readonly ChildRecord[],
  results: Map<string, CrmResult>,
  call: Call,
): Promise<void> => {
  const refused = records.filter(({ key }) => {
    const result = results.get(key);
    return result !== undefined && 'fault' in result && result.fault.why === 'invalid';
  });
  for (const batch of batchesOf(refused)) {
    const values = [...new Set(batch.map((one) => one.parent))];
    const reply = await readBatch(api, parent, { values }, [], call);
    if ('refusal' in reply) continue;
    const present = new Set(reply.value.map(({ id }) => id));
    for (const { key, parent: id } of batch)
      if (!present.has(id)) results.set(key, { key, fault: goneParent(parent) });
  }
};

const goneParent = (parent: string): CrmFault =>
  new CrmFault('hubspot-object-not-found', `The record of ${parent} was deleted in HubSpot.`, {
    ...{ scope: 'record', why: 'gone', field: parent },
  });

type CreateInput = Omit<SimplePublicObjectBatchInputForCreate, 'associations'> & {
  readonly associations: readonly {
    readonly to: { readonly id: string };
    readonly types: readonly { readonly associationCategory: string; readonly associationTypeId: number }[];
  }[];
};

export const children = async (
  api: Api,
  { object, parent }: { readonly object: string; readonly parent: string },
  ids: readonly string[],
  fields: readonly string[],
  call: Call,
): ReturnType<CrmSession['children']> => {
  const linked = await associatedIds(api, { from: parent, to: object }, ids, call);
  const records = new Map<string, { id: string; fields: Record<string, unknown> }>();
  for (const values of batchesOf([...new Set([...linked.values()].flat())])) {
    const reply = await readBatch(api, object, { values }, fields, call);
    if ('refusal' in reply) throw ofObject(faultOf(reply.refusal, object, reply.status));
    for (const { id, properties } of reply.value)
      records.set(id, {
        id,
        fields: Object.fromEntries(fields.map((name) => [name, properties[name] ?? null])),
      });
  }
  return new Map(ids.map((id) => [id, (linked.get(id) ?? []).flatMap((one) => records.get(one) ?? [])]));
};

/** Activities stay where the ticket is deleted, so they are archived by their ids. */
export const removeChildren = async (
  api: Api,
  object: string,
  ids: readonly string[],
  call: Call,
): Promise<void> => {
  const path = `/crm/objects/${VERSION}/${encodeURIComponent(object)}/batch/archive`;
  for (const batch of batchesOf([...new Set(ids)])) {
    const body = { inputs: batch.map((id) => ({ id })) };
    await api.need({ method: 'POST', path, body, object }, z.unknown(), call);
  }
};
