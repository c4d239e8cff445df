import * as z from 'zod';
import type { Call, Removal } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import { chunked, composite, HEAVY_PER_CALL, incomplete, type SubAnswer } from './rest/composite.ts';
import { faultOf, faultOfAnswer, RowRefusals } from './rest/faults.ts';
import type { Client } from './rest/session.ts';
import { idsByKey } from './rest/soql.ts';
import { faultFrom } from './writes.ts';

const PER_COLLECTION = 200;

const Results = z.array(z.looseObject({ success: z.boolean(), errors: RowRefusals }));

/** Of a person account only the account can be deleted; its contact goes with it. */
const PERSON = ['IsPersonAccount', 'AccountId'];

/** Deletes records by our key: a collection takes Salesforce's own ids, which are looked up first, 1,000 in a request. */
export const remove = async (
  client: Client,
  objects: Objects,
  { object, keyField, keys }: { object: string; keyField: string; keys: readonly string[] },
  call: Call,
): Promise<Removal[]> => {
  const wanted = [...new Set(keys)].filter((key) => key !== '');
  if (wanted.length === 0) return keys.map((key) => ({ key, found: false }));
  const hasPersons = object === 'Contact' && (await objects.of(object, call)).fields.has('IsPersonAccount');
  const ids = await idsByKey(client, object, keyField, wanted, call, hasPersons ? PERSON : []);
  const faults = await deleted(client, [...ids.values()].flat(), call);
  return keys.map((key): Removal => {
    const own: readonly string[] = ids.get(key) ?? [];
    const fault = own.map((id) => faults.get(id)).find((one) => one !== undefined && one.why !== 'gone');
    if (fault !== undefined) return { key, fault };
    return { key, found: own.some((id) => !faults.has(id)) };
  });
};

/** The faults of those that were not deleted, by id. Rejects if the first request fails. */
const deleted = async (
  client: Client,
  ids: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, CrmFault>> => {
  const faults = new Map<string, CrmFault>();
  const groups = chunked(chunked(ids, PER_COLLECTION), HEAVY_PER_CALL);
  for (const [at, group] of groups.entries()) {
    const requests = group.map((some) => ({
      method: 'DELETE' as const,
      path: `/composite/sobjects?ids=${some.join(',')}&allOrNone=false`,
    }));
    try {
      const answers = await composite(client, requests, call);
      for (const [position, some] of group.entries())
        for (const [id, fault] of faultsOf(some, answers[position])) faults.set(id, fault);
    } catch (error) {
      if (at === 0) throw error;
      const fault = faultFrom(error);
      for (const id of groups.slice(at).flat(2)) faults.set(id, fault);
      return faults;
    }
  }
  return faults;
};

const faultsOf = (ids: readonly string[], answer: SubAnswer | undefined): [string, CrmFault][] => {
  const results = Results.safeParse(answer?.body);
  if (!results.success) {
    const fault = (answer && faultOfAnswer(answer)) ?? incomplete();
    return ids.map((id) => [id, fault]);
  }
  return ids.flatMap((id, at): [string, CrmFault][] => {
    const result = results.data[at];
    if (result?.success === true) return [];
    const [first] = result?.errors ?? [];
    return [[id, first === undefined ? incomplete() : faultOf(first, { id })]];
  });
};
