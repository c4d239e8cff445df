import type { SimplePublicObjectBatchInputForCreate } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObjectBatchInputForCreate.js';
import * as z from 'zod';
import type { Call, ChildRecord, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import { associatedIds, linkType } from './associations.ts';
import { batchesOf, batchOf, bisect, type Sorted } from './batch.ts';
import { faultOf, namedIn, ofObject, unmentioned } from './faults.ts';
import { readBatch } from './read.ts';
import { type Api, VERSION } from './request.ts';
import { remainder, textsOf } from './writes.ts';

const Row = z.looseObject({ id: z.string(), objectWriteTraceId: z.string().optional() });
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
    for (const { id, objectWriteTraceId: key } of reply.value.results)
      if (key !== undefined) results.set(key, { key, id });
    for (const refusal of reply.value.errors)
      for (const key of [...namedIn(refusal.context, 'objectWriteTraceId'), refusal.objectWriteTraceId ?? ''])
        if (batch.some((one) => one.key === key)) results.set(key, { key, fault: faultOf(refusal, object) });
    return {};
  };
  try {
    for (const batch of batchesOf(records)) await bisect(batch, send, blame);
  } catch (error) {
    if (!(error instanceof HubError) || results.size === 0) throw error;
    for (const one of records) if (!results.has(one.key)) blame(one, remainder(error));
  }
  return records.map(({ key }) => results.get(key) ?? { key, fault: unmentioned(object) });
};

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
