import type { SandboxAnswer } from '../../protocol/server.ts';
import type { AssociationType } from '../account/association-types.ts';
import type { End, Linked } from '../account/associations.ts';
import { associate, dissociate, type Spec } from '../account/object-associations.ts';
import type { ObjectType } from '../account/object-types.ts';
import { HubspotError, notFound, validationError } from '../errors.ts';
import { batchAnswer, type Call, json, noContent, type Route, route } from './call.ts';
import {
  associationArchive,
  associationCreate,
  associationDefault,
  associationRead,
  associationTypesBody,
  checkSize,
  labelRequest,
} from './requests.ts';

const PAIRS_PER_CREATE = 2_000;
const RECORDS_PER_READ = 1_000;

const ends = (call: Call): [ObjectType, ObjectType] => [call.type('from'), call.type('to')];

/** The end of that id; throws what HubSpot answers for an id that is none. */
const endOf = (call: Call, type: ObjectType, id: string): End => {
  if (!/^\d+$/u.test(id))
    throw new HubspotError(400, `${id} is not a valid ID`, {
      category: 'VALIDATION_ERROR',
      subCategory: 'crm.associations.INVALID_IDENTIFIER',
      context: { id: [id] },
    });
  const record = call.account.get(type, id);
  if (!record)
    throw new HubspotError(
      404,
      `No ${type.singular} with ID ${id} exists. Please check that the ID is right`,
      {
        category: 'OBJECT_NOT_FOUND',
        subCategory: 'crm.associations.OBJECT_NOT_FOUND',
        context: { id: [id], objectType: [type.singular.toUpperCase()] },
      },
    );
  return { object: type.name, id: record.id };
};

const checkApart = (from: End, to: End): void => {
  if (from.object === to.object && from.id === to.id)
    throw validationError(`Object ${from.id} cannot be associated to itself (${to.id})`);
};

const typesOf = (call: Call, from: ObjectType, to: ObjectType, specs: readonly Spec[]): AssociationType[] =>
  specs.map(({ associationCategory, associationTypeId }) => {
    const type = call.account.associations.type(associationTypeId, associationCategory);
    if (type?.from === from.name && type.to === to.name) return type;
    throw new HubspotError(
      400,
      `${associationTypeId} is not a valid association type between ${from.singular.toUpperCase()} and ${to.singular.toUpperCase()}`,
      {
        category: 'VALIDATION_ERROR',
        subCategory: 'crm.associations.INVALID_ASSOCIATION_TYPE',
        context: {
          type: [String(associationTypeId)],
          fromObjectType: [from.singular.toUpperCase()],
          toObjectType: [to.singular.toUpperCase()],
        },
      },
    );
  });

/** Does it for each input; what HubSpot refuses becomes an error of the batch. */
const each = <Input, Result>(
  inputs: readonly Input[],
  run: (input: Input) => Result[],
): { results: Result[]; errors: object[] } => {
  const errors: object[] = [];
  const results = inputs.flatMap((input) => {
    try {
      return run(input);
    } catch (error) {
      if (!(error instanceof HubspotError)) throw error;
      errors.push(error.entry());
      return [];
    }
  });
  return { results, errors };
};

const labelsBetween = (call: Call, from: End, to: End, types: readonly AssociationType[]) => ({
  fromObjectTypeId: call.type('from').id,
  fromObjectId: from.id,
  toObjectTypeId: call.type('to').id,
  toObjectId: to.id,
  labels: types.flatMap(({ label }) => (label ? [label] : [])),
});

const batchCreate = (call: Call): SandboxAnswer => {
  const [fromType, toType] = ends(call);
  const { inputs } = call.body(associationCreate);
  checkSize(inputs, PAIRS_PER_CREATE);
  const { results, errors } = each(inputs, (input) => {
    const types = typesOf(call, fromType, toType, input.types);
    const from = endOf(call, fromType, input.from.id);
    const to = endOf(call, toType, input.to.id);
    checkApart(from, to);
    associate(call.account, from, to, types, call.source);
    return [labelsBetween(call, from, to, types)];
  });
  return batchAnswer(call.account, errors.length > 0 ? 207 : 201, results, errors);
};

const defaultType = (call: Call, from: ObjectType, to: ObjectType): AssociationType => {
  const type = call.account.associations.types(from.name, to.name).find(({ label }) => !label);
  if (!type) throw validationError(`No default association from ${from.singular} to ${to.singular}`);
  return type;
};

const bothWays = (from: End, to: End, { category, typeId, inverse }: AssociationType) => [
  {
    from: { id: from.id },
    to: { id: to.id },
    associationSpec: { associationCategory: category, associationTypeId: typeId },
  },
  {
    from: { id: to.id },
    to: { id: from.id },
    associationSpec: { associationCategory: category, associationTypeId: inverse },
  },
];

const batchDefault = (call: Call): SandboxAnswer => {
  const [fromType, toType] = ends(call);
  const { inputs } = call.body(associationDefault);
  checkSize(inputs, PAIRS_PER_CREATE);
  const type = defaultType(call, fromType, toType);
  const { results, errors } = each(inputs, (input) => {
    const from = endOf(call, fromType, input.from.id);
    const to = endOf(call, toType, input.to.id);
    checkApart(from, to);
    associate(call.account, from, to, [type], call.source);
    return bothWays(from, to, type);
  });
  return batchAnswer(call.account, 200, results, errors);
};

/** The associated records that are still there. */
const living = (call: Call, from: End, to: ObjectType): Linked[] =>
  call.account.associations.of(from, to.name).filter(({ id }) => call.account.records.get(to.name, id));

const asLabel = ({ category, typeId, label }: AssociationType) => ({
  category,
  typeId,
  ...(label && { label }),
});

const asRead = (call: Call, { id, typeIds }: Linked, from: ObjectType, to: ObjectType) => ({
  toObjectId: id,
  associationTypes: call.account.associations
    .types(from.name, to.name)
    .filter(({ typeId }) => typeIds.includes(typeId))
    .map(asLabel),
});

const batchRead = (call: Call): SandboxAnswer => {
  const [fromType, toType] = ends(call);
  const { inputs } = call.body(associationRead);
  checkSize(inputs, RECORDS_PER_READ);
  const { results, errors } = each(inputs, ({ id }) => {
    const to = living(call, { object: fromType.name, id: call.account.currentId(fromType, id) }, toType);
    if (to.length > 0)
      return [{ from: { id }, to: to.map((linked) => asRead(call, linked, fromType, toType)) }];
    throw new HubspotError(404, `No ${toType.singular} is associated with ${fromType.singular} ${id}.`, {
      category: 'OBJECT_NOT_FOUND',
      subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
      context: { fromObjectId: [id], fromObjectType: [fromType.singular], toObjectType: [toType.singular] },
    });
  });
  return batchAnswer(call.account, errors.length > 0 ? 207 : 200, results, errors);
};

const batchArchive = (call: Call): SandboxAnswer => {
  const [fromType, toType] = ends(call);
  const { inputs } = call.body(associationArchive);
  for (const { from, to } of inputs)
    for (const { id } of to)
      dissociate(
        call.account,
        { object: fromType.name, id: call.account.currentId(fromType, from.id) },
        { object: toType.name, id: call.account.currentId(toType, id) },
        call.source,
      );
  return noContent;
};

const batchLabelsArchive = (call: Call): SandboxAnswer => {
  const [fromType, toType] = ends(call);
  for (const { from, to, types } of call.body(associationCreate).inputs)
    call.account.associations.removeTypes(
      endOf(call, fromType, from.id),
      endOf(call, toType, to.id),
      typesOf(call, fromType, toType, types),
    );
  return noContent;
};

const readOne = (call: Call): SandboxAnswer => {
  const [fromType, toType] = ends(call);
  const from = call.account.get(fromType, call.param('fromId'));
  if (!from) throw notFound();
  const to = living(call, { object: fromType.name, id: from.id }, toType);
  return json(200, { results: to.map((linked) => asRead(call, linked, fromType, toType)) });
};

const pair = (call: Call): [End, End] => {
  const [fromType, toType] = ends(call);
  const from = endOf(call, fromType, call.param('fromId'));
  const to = endOf(call, toType, call.param('toId'));
  checkApart(from, to);
  return [from, to];
};

const createOne = (call: Call): SandboxAnswer => {
  const [from, to] = pair(call);
  const types = typesOf(call, ...ends(call), call.body(associationTypesBody));
  associate(call.account, from, to, types, call.source);
  return json(201, labelsBetween(call, from, to, types));
};

const createDefault = (call: Call): SandboxAnswer => {
  const [from, to] = pair(call);
  const type = defaultType(call, ...ends(call));
  associate(call.account, from, to, [type], call.source);
  return batchAnswer(call.account, 200, bothWays(from, to, type));
};

const removeOne = (call: Call): SandboxAnswer => {
  const [from, to] = pair(call);
  dissociate(call.account, from, to, call.source);
  return noContent;
};

const listLabels = (call: Call): SandboxAnswer => {
  const [from, to] = ends(call);
  return json(200, { results: call.account.associations.types(from.name, to.name).map(asLabel) });
};

const createLabel = (call: Call): SandboxAnswer => {
  const [from, to] = ends(call);
  const { label, inverseLabel } = call.body(labelRequest);
  return json(200, {
    results: call.account.associations.addLabel(from.name, to.name, label, inverseLabel).map(asLabel),
  });
};

const ONE = '/crm/v4/objects/:from/:fromId/associations';
const MANY = '/crm/v4/associations/:from/:to';

/** Associations between records, and the types that they can have. */
export const associationRoutes: readonly Route[] = [
  route('read', 'GET', `${ONE}/:to`, readOne),
  route('write', 'PUT', `${ONE}/default/:to/:toId`, createDefault),
  route('write', 'PUT', `${ONE}/:to/:toId`, createOne),
  route('write', 'DELETE', `${ONE}/:to/:toId`, removeOne),
  route('write', 'POST', `${MANY}/batch/create`, batchCreate),
  route('write', 'POST', `${MANY}/batch/associate/default`, batchDefault),
  route('read', 'POST', `${MANY}/batch/read`, batchRead),
  route('write', 'POST', `${MANY}/batch/archive`, batchArchive),
  route('write', 'POST', `${MANY}/batch/labels/archive`, batchLabelsArchive),
  route('read', 'GET', `${MANY}/labels`, listLabels),
  route('write', 'POST', `${MANY}/labels`, createLabel),
];
