// https://www.servicenow.com/docs/bundle/zurich-platform-administration/page/administer/reference-pages/concept/c_SystemDictionary.html
// A column is made by an entry of the dictionary, for which the platform wants the role admin, or personalize_dictionary.

import type { Call } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import type { Client } from './rest/session.ts';
import { put } from './rest/table.ts';

const LENGTH = 64;

/** Creates a text of 64 characters that is unique. What the instance does not allow is a fault with the steps of a person. */
export const createKeyField = async (
  client: Client,
  objects: Objects,
  { object, keyField }: { object: string; keyField: string },
  call: Call,
): Promise<void> => {
  const present = (await described(objects, object, call))?.get(keyField);
  if (present !== undefined) {
    if (present.isKey) return;
    throw byHand(object, keyField, 'is there, but it is not unique');
  }
  // The platform would put the prefix before any other name, and the mapping would not find the column.
  if (!keyField.startsWith('u_'))
    throw byHand(object, keyField, 'cannot be made: a new column begins with u_');
  const entry = {
    ...{ name: object, element: keyField, column_label: 'Hub id', internal_type: 'string' },
    ...{ max_length: String(LENGTH), unique: 'true', active: 'true' },
    comments: 'The key of Tributary. Do not change it.',
  };
  try {
    await client.request(put('sys_dictionary', undefined, entry, ['sys_id']), call);
  } catch (error) {
    if (error instanceof CrmFault && error.scope !== 'connection')
      throw byHand(object, keyField, 'may not be made by the user of the hub', error);
    throw error;
  }
  const made = (await described(objects, object, call))?.get(keyField);
  if (made?.isKey !== true) throw byHand(object, keyField, 'was made, but the hub does not see it as unique');
};

const described = async (objects: Objects, object: string, call: Call) =>
  (await objects.describe([object], call)).get(object)?.fields;

const byHand = (object: string, field: string, what: string, cause?: CrmFault): CrmFault =>
  new CrmFault(
    'servicenow-unknown-field',
    `The column ${field} of ${object} ${what}. As an administrator of ServiceNow open System Definition, Tables, ${object}, Columns, New: type String, column name ${field}, length ${LENGTH}; save, open the column again and tick Unique (Advanced view). Or give the user of the hub the role personalize_dictionary for as long as \`hub connect servicenow --create-fields\` takes.`,
    { scope: 'object', why: 'setup', object, field, cause },
  );
