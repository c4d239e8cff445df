import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { associate, associatedWith, readAssociations } from '../account/object-associations.ts';
import {
  archiveRecord,
  checkRequired,
  checkUnique,
  createRecord,
  readValues,
  updateRecord,
} from '../account/write.ts';
import { notFound, validationError } from '../errors.ts';
import { type Call, json, noContent, type Route, route } from './call.ts';
import { readArchived, readOut, written } from './representation.ts';
import { createInput, updateInput } from './requests.ts';

const LIST_LIMIT = 100;

/** The record that the path names by its id or, with `?idProperty=`, by a unique value. */
const find = (call: Call): HeldRecord | undefined => {
  const { account } = call;
  const type = call.type();
  const id = call.param('id');
  const property = call.request.query.get('idProperty');
  if (property === null || property === 'hs_object_id') return account.get(type, id);
  if (!account.properties.identifies(type, property))
    throw validationError(`Unable to find ${type.singular} by non-unique ${type.id} property ${property}`);
  return account.findUnique(type, property, id);
};

const create = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const body = call.body(createInput);
  const values = readValues(account, type, body.properties);
  checkRequired(type, values);
  const associations = readAssociations(account, type, body.associations);
  checkUnique(account, type, values);
  const record = createRecord(account, type, values, call.source);
  for (const { to, types } of associations)
    associate(account, { object: type.name, id: record.id }, to, types, call.source);
  return json(201, written(account, type, record));
};

const read = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const asked = call.list('properties');
  if (call.request.query.get('archived') === 'true') {
    const record = account.archived(type, call.param('id'));
    if (!record) throw notFound();
    return json(200, readArchived(account, type, record, asked));
  }
  const record = find(call);
  if (!record) throw notFound();
  const associations = associatedWith(account, type, record, call.list('associations'));
  return json(200, {
    ...readOut(account, type, record, asked, call.list('propertiesWithHistory')),
    ...(Object.keys(associations).length > 0 && { associations }),
  });
};

const update = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const values = readValues(account, type, call.body(updateInput).properties);
  const record = find(call);
  if (!record) throw notFound();
  checkUnique(account, type, values, record.id);
  return json(200, written(account, type, updateRecord(account, type, record, values, call.source)));
};

const archive = (call: Call): SandboxAnswer => {
  const { account } = call;
  const record = account.get(call.type(), call.param('id'));
  if (record) archiveRecord(account, call.type(), record, call.source);
  else if (!account.archived(call.type(), call.param('id'))) throw notFound();
  return noContent;
};

const list = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const limit = Number(call.request.query.get('limit') ?? 10);
  if (!(limit >= 1 && limit <= LIST_LIMIT))
    throw validationError(`limit must be between 1 and ${LIST_LIMIT}`);
  const after = Number(call.request.query.get('after') ?? 0);
  const archived = call.request.query.get('archived') === 'true';
  const asked = call.list('properties');
  const all = archived ? account.store.list(`archived:${type.name}`) : account.records.list(type.name);
  const rest = all
    .filter(({ id }) => Number(id) > after)
    .sort((one, other) => Number(one.id) - Number(other.id));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const names = call.list('associations');
  return json(200, {
    results: page.map((record) => {
      if (archived) return readArchived(account, type, record, asked);
      const associations = associatedWith(account, type, record, names);
      return {
        ...readOut(account, type, record, asked, call.list('propertiesWithHistory')),
        ...(Object.keys(associations).length > 0 && { associations }),
      };
    }),
    ...(last && rest.length > limit && { paging: { next: { after: last.id } } }),
  });
};

/** One record at a time. */
export const objectRoutes: readonly Route[] = [
  route('read', 'GET', '/crm/v3/objects/:object', list),
  route('write', 'POST', '/crm/v3/objects/:object', create),
  route('read', 'GET', '/crm/v3/objects/:object/:id', read),
  route('write', 'PATCH', '/crm/v3/objects/:object/:id', update),
  route('write', 'DELETE', '/crm/v3/objects/:object/:id', archive),
];
