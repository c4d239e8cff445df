import type { z } from 'zod';
import type { SandboxAnswer } from '../../protocol/server.ts';
import type { Property } from '../account/properties.ts';
import { HubspotError, validationError } from '../errors.ts';
import { batchAnswer, type Call, json, noContent, type Route, route } from './call.ts';
import {
  batchPropertyCreate,
  batchPropertyNames,
  batchPropertyRead,
  checkSize,
  groupCreate,
  propertyCreate,
  propertyUpdate,
} from './requests.ts';

const UNIQUE_PER_OBJECT = 10;
const NAME = /^[a-z][a-z0-9_]{0,99}$/u;

/** As the API shows a property. */
const shown = (property: Property) => {
  const { readOnly, options, ...rest } = property;
  return {
    ...rest,
    options,
    calculated: false,
    externalOptions: false,
    hidden: false,
    formField: !readOnly,
    displayOrder: -1,
    archived: false,
    modificationMetadata: {
      archivable: !property.hubspotDefined,
      readOnlyDefinition: property.hubspotDefined,
      readOnlyValue: readOnly,
    },
  };
};

const noSuchProperty = (name: string): HubspotError =>
  new HubspotError(404, `Property ${name} does not exist`, {
    category: 'OBJECT_NOT_FOUND',
    subCategory: 'Properties.PROPERTY_NOT_FOUND',
    context: { propertyName: [name] },
  });

const add = (call: Call, wanted: z.infer<typeof propertyCreate>): Property => {
  const { account } = call;
  const type = call.type();
  if (!NAME.test(wanted.name)) throw validationError(`Property name ${wanted.name} is invalid`);
  if (account.properties.get(type, wanted.name))
    throw new HubspotError(409, `A property named '${wanted.name}' already exists.`, {
      category: 'OBJECT_ALREADY_EXISTS',
      subCategory: 'Properties.PROPERTY_EXISTS',
      context: { name: [wanted.name] },
    });
  if (wanted.type === 'enumeration' && !wanted.options?.length && !wanted.externalOptions)
    throw validationError(`Property ${wanted.name} of type enumeration needs options`);
  const unique = account.properties.list(type).filter(({ hasUniqueValue }) => hasUniqueValue).length;
  if (wanted.hasUniqueValue && unique >= UNIQUE_PER_OBJECT)
    throw validationError(`${type.name} can have at most ${UNIQUE_PER_OBJECT} unique properties`);
  const property: Property = {
    name: wanted.name,
    label: wanted.label,
    type: wanted.type,
    fieldType: wanted.fieldType,
    description: wanted.description ?? '',
    groupName: wanted.groupName,
    options: (wanted.options ?? []).map((option, displayOrder) => ({ ...option, displayOrder })),
    hasUniqueValue: wanted.hasUniqueValue ?? false,
    readOnly: false,
    hubspotDefined: false,
  };
  account.properties.put(type, property);
  return property;
};

const list = (call: Call): SandboxAnswer =>
  json(200, { results: call.account.properties.list(call.type()).map(shown) });

const read = (call: Call): SandboxAnswer => {
  const property = call.account.properties.get(call.type(), call.param('name'));
  if (!property) throw noSuchProperty(call.param('name'));
  return json(200, shown(property));
};

const create = (call: Call): SandboxAnswer => json(201, shown(add(call, call.body(propertyCreate))));

/** What a property means can be changed; whether its values are unique cannot. */
const update = (call: Call): SandboxAnswer => {
  const property = call.account.properties.get(call.type(), call.param('name'));
  if (!property) throw noSuchProperty(call.param('name'));
  const { label, type, fieldType, groupName, description, options } = call.body(propertyUpdate);
  const changed: Property = {
    ...property,
    ...(label !== undefined && { label }),
    ...(type !== undefined && { type }),
    ...(fieldType !== undefined && { fieldType }),
    ...(groupName !== undefined && { groupName }),
    ...(description !== undefined && { description }),
    ...(options !== undefined && {
      options: options.map((option, displayOrder) => ({ ...option, displayOrder })),
    }),
  };
  call.account.properties.put(call.type(), changed);
  return json(200, shown(changed));
};

const listGroups = (call: Call): SandboxAnswer => {
  const type = call.type();
  const standard = {
    name: `${type.singular}information`,
    label: `${type.singular} information`,
    displayOrder: 0,
    archived: false,
  };
  const own = call.account.store.list(`property-group:${type.name}`).map(({ fields }) => fields);
  return json(200, { results: [standard, ...own] });
};

const createGroup = (call: Call): SandboxAnswer => {
  const { name, label, displayOrder = -1 } = call.body(groupCreate);
  const groups = `property-group:${call.type().name}`;
  if (call.account.store.get(groups, name))
    throw new HubspotError(409, `A property group named '${name}' already exists.`, {
      category: 'OBJECT_ALREADY_EXISTS',
    });
  const group = { name, label, displayOrder, archived: false };
  call.account.store.put(groups, name, group);
  return json(201, group);
};

const archive = (call: Call): SandboxAnswer => {
  const name = call.param('name');
  const property = call.account.properties.get(call.type(), name);
  if (!property) throw noSuchProperty(name);
  if (property.hubspotDefined)
    throw validationError(`Property ${name} is defined by HubSpot and cannot be archived`);
  call.account.properties.remove(call.type(), name);
  return noContent;
};

const batchCreate = (call: Call): SandboxAnswer => {
  const { inputs } = call.body(batchPropertyCreate);
  checkSize(inputs);
  const errors: object[] = [];
  const results = inputs.flatMap((wanted) => {
    try {
      return [shown(add(call, wanted))];
    } catch (error) {
      if (!(error instanceof HubspotError)) throw error;
      errors.push(error.entry());
      return [];
    }
  });
  return batchAnswer(call.account, errors.length > 0 ? 207 : 201, results, errors);
};

const batchRead = (call: Call): SandboxAnswer => {
  const { inputs } = call.body(batchPropertyRead);
  checkSize(inputs);
  const found = inputs.map(({ name }) => ({
    name,
    property: call.account.properties.get(call.type(), name),
  }));
  const errors = found.filter(({ property }) => !property).map(({ name }) => noSuchProperty(name).entry());
  const results = found.flatMap(({ property }) => (property ? [shown(property)] : []));
  return batchAnswer(call.account, errors.length > 0 ? 207 : 200, results, errors);
};

const batchArchive = (call: Call): SandboxAnswer => {
  for (const { name } of call.body(batchPropertyNames).inputs)
    call.account.properties.remove(call.type(), name);
  return noContent;
};

const PATH = '/crm/v3/properties/:object';

/** The properties that records have. */
export const propertyRoutes: readonly Route[] = [
  route('none', 'GET', PATH, list),
  route('none', 'POST', PATH, create),
  route('none', 'POST', `${PATH}/batch/create`, batchCreate),
  route('none', 'POST', `${PATH}/batch/read`, batchRead),
  route('none', 'POST', `${PATH}/batch/archive`, batchArchive),
  route('none', 'GET', `${PATH}/groups`, listGroups),
  route('none', 'POST', `${PATH}/groups`, createGroup),
  route('none', 'GET', `${PATH}/:name`, read),
  route('none', 'PATCH', `${PATH}/:name`, update),
  route('none', 'DELETE', `${PATH}/:name`, archive),
];
