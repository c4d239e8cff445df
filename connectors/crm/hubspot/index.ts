// https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
// 200 and 207 resolve as success whatever was refused inside, and one bad value refuses a whole batch with 400: every
// result is matched by its own trace id, and a batch is halved until the record at fault is alone.

import type { CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { isLink } from './associations.ts';
import { addChildren, children, removeChildren } from './children.ts';
import { createKeyField, describe } from './describe.ts';
import { accountId, examine } from './examine.ts';
import { openFinder } from './find.ts';
import { type Login, logIn } from './login.ts';
import { logins } from './logins.ts';
import { list, read } from './read.ts';
import { remove } from './remove.ts';
import { openApi } from './request.ts';
import { upsert } from './writes.ts';

export const hubspot: CrmConnector = {
  id: 'hubspot',
  title: 'HubSpot',
  // A private app of the smallest edition has 100 calls in ten seconds; ten are left to other users of its token.
  budget: { calls: 90, seconds: 10 },
  changes: 'reported',
  values: 'text',
  hasLink: isLink,
  logins,
  docs: 'https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide',
  keeps: [
    'Deleted calls, e-mails, notes and messages stay in the recycle bin for 90 days, unless they were deleted with their contact, which is deleted permanently; HubSpot completes that within 30 days.',
  ],
  open: async (credentials, token, signal) => session(await logIn(credentials, token, signal)),
};

const session = (login: Login): CrmSession => {
  const api = openApi(login);
  const finder = openFinder(api);
  return {
    describe: (objects, call) => describe(api, objects, call),
    find: finder.find,
    read: (object, ids, fields, call) => read(api, object, ids, fields, call),
    list: (object, fields, cursor, call) => list(api, object, fields, cursor, call),
    upsert: (object, keyField, records, call) => upsert(api, { object, keyField }, records, call),
    addChildren: (object, parent, records, call) => addChildren(api, { object, parent }, records, call),
    children: (object, parent, ids, fields, call) => children(api, { object, parent }, ids, fields, call),
    removeChildren: (object, ids, call) => removeChildren(api, object, ids, call),
    remove: (object, keyField, keys, call) => remove(api, object, keyField, keys, call),
    createKeyField: (object, keyField, call) => createKeyField(api, object, keyField, call),
    account: (call) => accountId(api, login, call),
    examine: (call) => examine(api, login, call),
  };
};
