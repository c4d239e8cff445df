import type { Call, CrmSession, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { HttpObject, HttpReading } from '../../../core/crm/mapping/http.ts';
import type { Api } from './api.ts';
import { heldIn, holds } from './held.ts';
import { placeOf } from './templates.ts';

/** An object of a mapping, and how it is spoken to. */
export interface Target {
  readonly api: Api;
  readonly object: string;
  readonly section: HttpObject;
}

/** What the mapping does not say how to do is a fault of the object. */
export const notMapped = ({ api, object }: Pick<Target, 'api' | 'object'>, what: string): CrmFault =>
  new CrmFault('http-setup', `The mapping of ${api.title} says nothing at http.objects.${object}.${what}.`, {
    ...{ scope: 'object', why: 'setup', object },
  });

export const chunksOf = <One>(all: readonly One[], size: number): One[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

const ask = async (
  { api, object, section }: Target,
  request: HttpReading,
  variables: object,
  fields: readonly string[],
  isOfRecord: boolean,
  call: Call,
): Promise<readonly HeldRecord[]> => {
  const question = { request, variables: { ...variables, object, fields }, about: { object, isOfRecord } };
  try {
    return heldIn(await api.ask(question, call), section, request.records, fields);
  } catch (error) {
    // Several CRMs answer a read of nothing with 404.
    if (error instanceof CrmFault && error.why === 'gone') return [];
    throw error;
  }
};

/** The records that hold one of these values. A look-up that the mapping does not have finds nothing. */
export const find = async (
  target: Target,
  by: LookUp,
  values: readonly string[],
  fields: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, readonly HeldRecord[]>> => {
  const { find: look } = target.section;
  const request = typeof by === 'string' ? look[by] : look.field;
  const found = new Map<string, HeldRecord[]>();
  if (request === undefined) return found;
  const wanted = typeof by === 'string' ? fields : [...new Set([...fields, by.field])];
  for (const some of chunksOf(values, request.batch)) {
    const variables = { values: some, value: some[0], ...(typeof by !== 'string' && { field: by.field }) };
    const records = await ask(target, request, variables, wanted, true, call);
    // A search may be wider than what was asked, so each record is compared again.
    for (const value of some) {
      const held = records.filter((record) => holds(record, by, value));
      if (held.length > 0) found.set(value, held);
    }
  }
  return found;
};

/** The records whose field `parent` has the id of another one. */
export const children = async (
  target: Target,
  parent: string,
  ids: readonly string[],
  fields: readonly string[],
  call: Call,
): ReturnType<CrmSession['children']> => {
  if (target.section.find.field === undefined) throw notMapped(target, 'find.field');
  return find(target, { field: parent }, ids, fields, call);
};

export const read = async (
  target: Target,
  ids: readonly string[],
  fields: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, HeldRecord>> => {
  const { read: request } = target.section;
  if (request === undefined) throw notMapped(target, 'read');
  const found = new Map<string, HeldRecord>();
  for (const some of chunksOf(ids, request.batch)) {
    const records = await ask(target, request, { ids: some, id: some[0] }, fields, true, call);
    const byId = new Map(records.map((one) => [one.id, one]));
    const [only, ...others] = records;
    for (const id of some) {
      // One that was asked for alone and has another id was merged into that.
      const record = byId.get(id) ?? (some.length === 1 && others.length === 0 ? only : undefined);
      if (record !== undefined) found.set(id, record);
    }
  }
  return found;
};

export const list = async (
  target: Target,
  fields: readonly string[],
  cursor: string | undefined,
  call: Call,
): ReturnType<CrmSession['list']> => {
  const { api, object, section } = target;
  const { list: request } = section;
  if (request === undefined) throw notMapped(target, 'list');
  const answer = await api.ask({ request, variables: { object, fields, cursor }, about: { object } }, call);
  const records = heldIn(answer, section, request.records, fields);
  const next = request.next === undefined ? undefined : placeOf(request.next, { ...answer, cursor });
  const hasNext = next !== undefined && next !== null && next !== false && next !== '' && records.length > 0;
  return { records, ...(hasNext && { next: String(next) }) };
};
