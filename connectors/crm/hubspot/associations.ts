import type { AssociationSpec } from '@hubspot/api-client/lib/codegen/crm/associations/v4/models/AssociationSpec.js';
import * as z from 'zod';
import type { Call, CrmRecord, CrmResult } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { entryOf } from '../../../core/formats/payload.ts';
import { batchesOf, batchOf, bisect, type Sorted } from './batch.ts';
import { faultOf, namedIn, type Refusal, setupFault } from './faults.ts';
import { type Api, VERSION } from './request.ts';

/** HubSpot's own association types without a label, from an object to a target. */
const defaults: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  calls: { contacts: 194, companies: 182, deals: 206, tickets: 220 },
  communications: { contacts: 81, companies: 87, deals: 85, tickets: 83 },
  contacts: { companies: 279, contacts: 449, deals: 4, tickets: 15 },
  emails: { contacts: 198, companies: 186, deals: 210, tickets: 224 },
  meetings: { contacts: 200, companies: 188, deals: 212, tickets: 226 },
  notes: { contacts: 202, companies: 190, deals: 214, tickets: 228 },
  tasks: { contacts: 204, companies: 192, deals: 216, tickets: 230 },
  tickets: { contacts: 16, companies: 339, deals: 28 },
};

const CONTACTS = 'contacts';
/** HubSpot's limit for a batch of associations, which is not that of records. */
const LINKS_PER_BATCH = 2000;

/** Whether a link from records of an object to those of a target may have this name. */
export const isLink = (object: string, name: string, target: string): boolean =>
  /^\d{1,9}$/u.test(name) || (name === target && entryOf(defaults, object)?.[name] !== undefined);

interface LinkType {
  readonly target: string;
  readonly category: `${AssociationSpec['associationCategory']}`;
  readonly typeId: number;
}

/** One link of a record that was written. */
export interface Link {
  readonly key: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  done: boolean;
  fault?: CrmFault;
}

/**
 * The association type of each link that the records name: the name of the target object, or the id of a type from the
 * object to a contact. Throws a setup fault of the object for a name that is neither.
 */
export const linkTypes = (object: string, records: readonly CrmRecord[]): ReadonlyMap<string, LinkType> => {
  const names = new Set(records.flatMap(({ links = {} }) => Object.keys(links)));
  return new Map([...names].map((name) => [name, linkType(object, name)]));
};

/** Throws a setup fault of the object for a name that is none. */
export const linkType = (object: string, name: string): LinkType => {
  const known = entryOf(defaults, object) ?? {};
  const typeId = entryOf(known, name);
  if (typeId !== undefined) return { target: name, category: 'HUBSPOT_DEFINED', typeId };
  if (/^\d{1,9}$/u.test(name)) {
    const category = Number(name) === known[CONTACTS] ? 'HUBSPOT_DEFINED' : 'USER_DEFINED';
    return { target: CONTACTS, category, typeId: Number(name) };
  }
  const targets = Object.keys(known);
  throw setupFault(
    'no-association',
    'object',
    `The hub knows no association from ${object} to ${name}. Name ${targets.length > 0 ? `one of ${targets.join(', ')}, or ` : ''}the id of an association type to contacts under \`links\` in mappings/crm/hubspot.yaml.`,
  );
};

/** The links of the records that were written. */
export const linksOf = (
  records: readonly CrmRecord[],
  outcomes: ReadonlyMap<CrmRecord, CrmResult>,
): readonly Link[] =>
  records.flatMap((record) => {
    const outcome = outcomes.get(record);
    if (outcome === undefined || 'fault' in outcome) return [];
    return Object.entries(record.links ?? {}).map(([name, to]) => ({
      ...{ key: record.key, name, from: outcome.id, to, done: false },
    }));
  });

const Id = z.union([z.string(), z.number()]).transform(String);
const Row = z.looseObject({
  fromObjectId: Id.optional(),
  from: z.looseObject({ id: Id }).optional(),
});
const Linked = batchOf(Row);

/** Makes links. Idempotent. What becomes of each is written into it. */
export const link = async (
  api: Api,
  object: string,
  types: ReadonlyMap<string, LinkType>,
  links: readonly Link[],
  call: Call,
): Promise<void> => {
  for (const [name, type] of types) {
    const send = (batch: readonly Link[]) => associate(api, object, type, batch, call);
    const ofType = links.filter((one) => one.name === name);
    for (const batch of batchesOf(ofType, LINKS_PER_BATCH)) await bisect(batch, send, blame);
  }
};

const blame = (one: Link, fault: CrmFault): void => {
  one.fault = ofLink(fault, one.name);
};

const associate = async (
  api: Api,
  object: string,
  { target, category, typeId }: LinkType,
  batch: readonly Link[],
  call: Call,
): Promise<Sorted<Link>> => {
  const inputs = batch.map(({ from, to }) => ({
    ...{ from: { id: from }, to: { id: to } },
    types: [{ associationCategory: category, associationTypeId: typeId }],
  }));
  const path = `/crm/associations/${VERSION}/${encodeURIComponent(object)}/${encodeURIComponent(target)}/batch/create`;
  try {
    const reply = await api.ask({ method: 'POST', path, body: { inputs }, object }, Linked, call);
    if ('value' in reply) return accepted(object, batch, reply.value);
    const fault = faultOf(reply.refusal, object, reply.status);
    if (fault.scope !== 'record') throw fault;
    return { doubtful: { items: batch, fault } };
  } catch (error) {
    if (!(error instanceof CrmFault) || error.scope !== 'record') throw error;
    for (const one of batch) blame(one, error);
    return {};
  }
};

/** Without errors all links are made: those that were there already need not be listed. */
const accepted = (
  object: string,
  batch: readonly Link[],
  { results, errors }: z.infer<typeof Linked>,
): Sorted<Link> => {
  const made = new Set(results.map((row) => row.fromObjectId ?? row.from?.id));
  for (const one of batch) one.done = errors.length === 0 || made.has(one.from);
  const unnamed: Refusal[] = [];
  for (const refusal of errors) {
    const ids = new Set(
      ['id', 'ids', 'fromObjectId', 'toObjectId'].flatMap((name) => namedIn(refusal.context, name)),
    );
    const named = batch.filter((one) => !one.done && (ids.has(one.from) || ids.has(one.to)));
    for (const one of named) blame(one, faultOf(refusal, object));
    if (named.length === 0) unnamed.push(refusal);
  }
  const items = batch.filter((one) => !one.done && one.fault === undefined);
  const [first] = unnamed;
  if (items.length === 0) return {};
  if (first === undefined) return { untried: items.length < batch.length ? items : [] };
  const fault = faultOf(first, object);
  if (fault.scope !== 'record') throw fault;
  return { doubtful: { items, fault } };
};

/** The fault of a record whose link was refused; `field` is the name of the link. */
const ofLink = (fault: CrmFault, name: string): CrmFault =>
  new CrmFault(fault.code, `The link to ${name} was not made. ${fault.message}`, {
    scope: fault.scope,
    why: fault.why,
    field: name,
    records: fault.records,
    ...(typeof fault.retry === 'object' && { afterSeconds: fault.retry.afterSeconds }),
    cause: fault,
  });

const Associated = batchOf(
  z.looseObject({ from: z.looseObject({ id: Id }), to: z.array(z.looseObject({ toObjectId: Id })) }),
);

/** The ids of associated records, by the ids that were asked for; those without any are absent. */
export const associatedIds = async (
  api: Api,
  { from, to }: { readonly from: string; readonly to: string },
  ids: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const found = new Map<string, readonly string[]>();
  const path = `/crm/associations/${VERSION}/${encodeURIComponent(from)}/${encodeURIComponent(to)}/batch/read`;
  for (const batch of batchesOf([...new Set(ids)])) {
    const body = { inputs: batch.map((id) => ({ id })) };
    const { results } = await api.need({ method: 'POST', path, body, object: from }, Associated, call);
    for (const { from: one, to: others } of results)
      found.set(
        one.id,
        others.map(({ toObjectId }) => toObjectId),
      );
  }
  return found;
};
