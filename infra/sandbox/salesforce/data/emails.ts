// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_emailmessage.htm
import type { Fields } from '../../protocol/sandbox.ts';
import { SaveError } from './errors.ts';
import type { Org, Transaction } from './org.ts';

const lists = { ToAddress: 'ToIds', CcAddress: 'CcIds', BccAddress: 'BccIds' } as const;
/** Ids of contacts, leads and users. */
const PEOPLE = /^(?:003|00Q|005)/u;

/** Inserts a record, as `insert` does. */
type Insert = (transaction: Transaction, object: string, values: Fields) => string;

const related = (org: Org, values: Fields): { readonly type: string; readonly id: string }[] =>
  Object.entries(lists).flatMap(([type, name]) => {
    const ids = values[name];
    if (!Array.isArray(ids)) return [];
    for (const id of ids.map(String)) {
      const object = PEOPLE.test(id) ? org.schema.objectOfId(id) : undefined;
      if (object === undefined || org.get(object, id) === undefined)
        throw new SaveError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', [name]);
    }
    return ids.map((id) => ({ type, id: String(id) }));
  });

/** What Salesforce makes of a new e-mail: a relation for each id, and, unless it is one of a case, the activity. */
export const afterEmail = (transaction: Transaction, id: string, values: Fields, insert: Insert): Fields => {
  const people = related(transaction.org, values);
  for (const { type, id: person } of people)
    insert(transaction, 'EmailMessageRelation', {
      ...{ EmailMessageId: id, RelationId: person },
      RelationType: type,
    });
  if (values['ParentId'] || values['ActivityId']) return {};
  const who = people.find((one) => !one.id.startsWith('005'));
  return {
    ActivityId: insert(transaction, 'Task', {
      ...{ Subject: String(values['Subject'] ?? 'Email'), Status: 'Completed', TaskSubtype: 'Email' },
      ...(who && { WhoId: who.id }),
    }),
  };
};
