// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm
// jsforce would renew a refused session without end and hide the status of refusals: the hub sends each request itself,
// once, through jsforce's connection, and renews the session once.

import type { CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { bulkWrites } from './bulk/ingest.ts';
import { jobReader } from './bulk/query.ts';
import { addChildren, children } from './children.ts';
import { objectsOf } from './describe.ts';
import { hasLink } from './emails.ts';
import { examine } from './examine.ts';
import { find } from './find.ts';
import { createKeyField } from './key-field.ts';
import { list } from './list.ts';
import { logins } from './logins.ts';
import { read } from './read.ts';
import { remove } from './remove.ts';
import { credentialsOf } from './rest/credentials.ts';
import { type Client, clientFor } from './rest/session.ts';
import { upsert } from './upsert.ts';

export const salesforce: CrmConnector = {
  id: 'salesforce',
  title: 'Salesforce',
  // The smallest production allocation is 100,000 calls a day, and other applications use the org too.
  budget: { calls: 3000, seconds: 3600 },
  changes: 'reported',
  // A call takes 1,000 records, or looks 1,000 addresses up, or 100 numbers.
  backfillBatch: 1000,
  values: 'typed',
  hasLink: (object, name, _target, fields) => hasLink(object, name, fields),
  logins,
  docs: 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm',
  keeps: [
    'Deleted records stay in the recycle bin of the org for 15 days; an administrator can empty it at once.',
  ],
  async open(raw, token, signal) {
    return session(await clientFor(credentialsOf(raw), token, signal));
  },
};

const session = (client: Client): CrmSession => {
  const objects = objectsOf(client);
  const reader = jobReader(client);
  return {
    async describe(names, call) {
      const known = await objects.describe(names, call);
      return new Map([...known].map(([object, { fields }]) => [object, fields]));
    },
    find: (object, by, values, fields, call) => find(client, objects, { object, by, values, fields }, call),
    read: (object, ids, fields, call) => read(client, objects, { object, ids, fields }, call),
    list: (object, fields, cursor, call) => list(client, objects, reader, { object, fields, cursor }, call),
    upsert: (object, keyField, records, call) => upsert(client, objects, { object, keyField, records }, call),
    addChildren: (object, parent, records, call) => addChildren(client, { object, parent, records }, call),
    children: (object, parent, ids, fields, call) => children(client, { object, parent, ids, fields }, call),
    remove: (object, keyField, keys, call) => remove(client, objects, { object, keyField, keys }, call),
    bulkWrites: bulkWrites(client, objects),
    createKeyField: (object, keyField, call) => createKeyField(client, objects, { object, keyField }, call),
    account: async () => client.orgId() || undefined,
    examine: (call) => examine(client, call),
  };
};
