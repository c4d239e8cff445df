// https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_customfield.htm

import type { Call } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import { codeOf, faultOfAnswer, refusalsOf } from './rest/faults.ts';
import type { Client } from './rest/session.ts';

/** Tasks and events share the custom fields of activities. */
const holders: Readonly<Record<string, string>> = { Task: 'Activity', Event: 'Activity' };
/** Refusals of a field that is there already. */
const present: ReadonlySet<string> = new Set(['DUPLICATE_DEVELOPER_NAME', 'DUPLICATE_VALUE']);

/**
 * Creates a text of 64 characters that is unique and an external id. Salesforce gives nobody the permission on a field that
 * the API creates: where the hub's user cannot write it afterwards, the fault says so.
 */
export const createKeyField = async (
  client: Client,
  objects: Objects,
  { object, keyField }: { object: string; keyField: string },
  call: Call,
): Promise<void> => {
  const holder = holders[object] ?? object;
  const body = {
    FullName: `${holder}.${keyField}`,
    Metadata: {
      ...{ type: 'Text', length: 64, unique: true, externalId: true, caseSensitive: true },
      label: keyField.replace(/__c$/u, '').replaceAll('_', ' '),
      description: 'The key of Tributary. Do not change it.',
    },
  };
  const answer = await client.request({ method: 'POST', path: '/tooling/sobjects/CustomField', body }, call);
  const fault = faultOfAnswer(answer);
  const [refusal] = refusalsOf(answer.body);
  const isPresent = refusal !== undefined && present.has(codeOf(refusal));
  if (fault !== undefined && !isPresent) throw fault;
  objects.forget(object);
  if ((await objects.of(object, call)).fields.get(keyField)?.writable !== true)
    throw unseen(holder, keyField);
};

const unseen = (holder: string, field: string): CrmFault =>
  new CrmFault(
    'salesforce-invalid-field-for-insert-update',
    `The field ${field} is there, but the integration user may not read and edit it. In Salesforce open its permission set, Object Settings, ${holder}, and allow both for ${field}.`,
    { scope: 'object', why: 'setup', field },
  );
