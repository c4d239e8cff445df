// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/build/applications/concept/api-rest.html
// Records are written through the Table API in batches, or by an import set where the mapping names one: its rules are then
// the instance's own, and its table keeps a copy of what was written.

import type { CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { changesIn } from './changes.ts';
import { addChildren, children, ITSELF } from './children.ts';
import { objectsOf } from './describe.ts';
import { examine } from './examine.ts';
import { find } from './find.ts';
import { importRecords } from './import/rows.ts';
import { columnFor, importSetup } from './import/setup.ts';
import { createKeyField } from './key-field.ts';
import { logins } from './logins.ts';
import { list, read } from './read.ts';
import { remove } from './remove.ts';
import { credentialsOf } from './rest/credentials.ts';
import { type Client, clientFor } from './rest/session.ts';
import { upsert } from './upsert.ts';

export const servicenow: CrmConnector = {
  id: 'servicenow',
  title: 'ServiceNow',
  // An instance has no limit of its own; a batch keeps one of its few workers for interfaces busy for up to half a minute.
  budget: { calls: 3000, seconds: 3600 },
  changes: 'asked',
  values: 'text',
  importSets: true,
  // A link is the reference field that holds the id of the other record. A journal belongs to the record itself.
  hasLink: (object, name, target, fields) =>
    fields.get(name)?.type === 'reference' || (name === ITSELF && object === target),
  logins,
  docs: 'https://www.servicenow.com/docs/bundle/zurich-api-reference/page/build/applications/concept/api-rest.html',
  keeps: [
    'ServiceNow keeps what is needed to recover deleted records for 10 days (rollback contexts); where the audit of a table is on, also under Deleted Records (sys_audit_delete) until an administrator deletes it there.',
  ],
  async open(raw, token, signal) {
    const credentials = credentialsOf(raw);
    const username = credentials.kind === 'basic' ? credentials.username : undefined;
    const { host } = new URL(credentials.instanceUrl);
    return session(await clientFor(credentials, token, signal), username, host);
  },
};

const session = (client: Client, username: string | undefined, host: string): CrmSession => {
  const objects = objectsOf(client, username);
  const setup = importSetup(client);
  return {
    async describe(tables, call) {
      const known = await objects.describe(tables, call);
      return new Map([...known].map(([table, { fields }]) => [table, fields]));
    },
    find: (object, by, values, fields, call) => find(client, objects, { object, by, values, fields }, call),
    read: (object, ids, fields, call) => read(client, objects, { object, ids, fields }, call),
    list: (object, fields, cursor, call) => list(client, objects, { object, fields, cursor }, call),
    changes: changesIn(client, objects),
    upsert: (object, keyField, records, call) => upsert(client, objects, { object, keyField, records }, call),
    addChildren: (object, parent, records, call) =>
      addChildren(client, objects, { object, parent, records }, call),
    children: (object, parent, ids, fields, call) =>
      children(client, objects, { object, parent, ids, fields }, call),
    remove: (object, keyField, keys, call) => remove(client, objects, { object, keyField, keys }, call),
    imports: {
      ...setup,
      columnOf: columnFor,
      upsert: (by, records, call) => importRecords(client, objects, setup, { by, records }, call),
    },
    createKeyField: (object, keyField, call) => createKeyField(client, objects, { object, keyField }, call),
    account: async () => host,
    examine: (call) => examine(client, username, call),
  };
};
