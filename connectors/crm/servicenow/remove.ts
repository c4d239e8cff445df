import type { Call, Removal } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import { answersTo } from './rest/batch.ts';
import type { Client } from './rest/session.ts';
import { idsBy, oneOf, pathOf, rowsOf } from './rest/table.ts';

/** Deletes records by our key: their sys_ids are looked up first. */
export const remove = async (
  client: Client,
  objects: Objects,
  { object, keyField, keys }: { object: string; keyField: string; keys: readonly string[] },
  call: Call,
): Promise<Removal[]> => {
  const wanted = [...new Set(keys)].filter((key) => key !== '');
  if (wanted.length === 0) return keys.map((key) => ({ key, found: false }));
  // Without the field the query would name every record.
  await objects.expectFields(object, [keyField], call);
  const queries = oneOf(keyField, wanted).map((query) => ({
    ...{ table: object, query, fields: ['sys_id', keyField] },
  }));
  const ids = idsBy(keyField, (await rowsOf(client, queries, call)).flat());
  const own = (key: string): readonly string[] => (key === '' ? [] : (ids.get(key.toLowerCase()) ?? []));
  const targets = [...new Set(wanted.flatMap(own))];
  const requests = targets.map((id) => ({
    ...{ method: 'DELETE' as const, table: object, path: pathOf(object, id) },
  }));
  const answers = requests.length === 0 ? [] : await answersTo(client, requests, call);
  const outcomes = new Map(targets.map((id, at) => [id, answers[at]]));
  return keys.map((key): Removal => {
    const results = own(key).map((id) => outcomes.get(id));
    const faults = results.filter((one) => one instanceof CrmFault);
    const fault = faults.find(({ why }) => why !== 'gone');
    return fault === undefined ? { key, found: results.length > faults.length } : { key, fault };
  });
};
