import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import type { Account, Values } from '../account/account.ts';
import { associate, readAssociations } from '../account/object-associations.ts';
import type { ObjectType } from '../account/object-types.ts';
import {
  archiveRecord,
  checkRequired,
  checkUnique,
  createRecord,
  readValues,
  uniqueValues,
  updateRecord,
} from '../account/write.ts';
import { HubspotError, InvalidProperties, validationError } from '../errors.ts';
import { batchAnswer, type Call, noContent, type Route, route } from './call.ts';
import { readOut, written } from './representation.ts';
import { batchCreate, batchIds, batchRead, batchUpdate, checkSize } from './requests.ts';

interface Traced {
  readonly objectWriteTraceId?: string | undefined;
}

/** An input that was checked; `commit` writes it and returns its entry in the answer. */
type Prepare<Input> = (input: Input) => () => object;

/**
 * With a trace id on every input, each input stands for itself; otherwise one refusal is the refusal of all.
 * Results are not in the order of the inputs: HubSpot does not promise it, and a client that counts on it should fail here.
 */
const runBatch = <Input extends Traced>(
  inputs: readonly Input[],
  prepare: Prepare<Input>,
  multiStatus = inputs.every(({ objectWriteTraceId }) => objectWriteTraceId !== undefined),
): { results: object[]; errors: object[] } => {
  if (!multiStatus)
    return {
      results: prepareAll(inputs, prepare)
        .map((commit) => commit())
        .reverse(),
      errors: [],
    };
  const results: object[] = [];
  const errors: object[] = [];
  for (const input of inputs) {
    try {
      results.unshift(prepare(input)());
    } catch (error) {
      if (!(error instanceof HubspotError)) throw error;
      errors.push(error.entry(input.objectWriteTraceId));
    }
  }
  return { results, errors };
};

const prepareAll = <Input>(inputs: readonly Input[], prepare: Prepare<Input>): (() => object)[] => {
  const errors: HubspotError[] = [];
  const commits = inputs.flatMap((input) => {
    try {
      return [prepare(input)];
    } catch (error) {
      if (!(error instanceof HubspotError)) throw error;
      errors.push(error);
      return [];
    }
  });
  const invalid = errors.flatMap((error) => (error instanceof InvalidProperties ? error.faults : []));
  if (invalid.length > 0) throw new InvalidProperties(invalid);
  const [first] = errors;
  // A recorded refusal of a whole batch does not tell which contact exists.
  if (first?.status === 409) throw new HubspotError(409, 'Contact already exists', { category: 'CONFLICT' });
  if (first) throw first;
  return commits;
};

/** Refuses a value that must be unique and that two inputs have, which the records cannot tell before the first is written. */
const claims = (account: Account, type: ObjectType): ((values: Values) => void) => {
  const seen = new Set<string>();
  return (values) => {
    for (const [property, value] of uniqueValues(account, type, values)) {
      const key = `${property}=${value.toLowerCase()}`;
      if (seen.has(key)) throw new HubspotError(409, 'Contact already exists', { category: 'CONFLICT' });
      seen.add(key);
    }
  };
};

const create = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const { inputs } = call.body(batchCreate);
  checkSize(inputs);
  const claim = claims(account, type);
  const { results, errors } = runBatch(inputs, ({ properties, associations }) => {
    const values = readValues(account, type, properties);
    checkRequired(type, values);
    const links = readAssociations(account, type, associations);
    checkUnique(account, type, values);
    claim(values);
    return () => {
      const record = createRecord(account, type, values, call.source);
      for (const { to, types } of links)
        associate(account, { object: type.name, id: record.id }, to, types, call.source);
      return written(account, type, record);
    };
  });
  return batchAnswer(account, errors.length > 0 ? 207 : 201, results, errors);
};

/** One way of naming records for a whole batch. */
const findBy = (
  account: Account,
  type: ObjectType,
  id: string,
  idProperty: string | undefined,
): HeldRecord | undefined => {
  if (idProperty === undefined) return account.get(type, id);
  return account.findUnique(type, idProperty, id);
};

/** The id of the record is no such property: there, `idProperty` is left out. */
const checkIdProperty = (account: Account, type: ObjectType, idProperty: string | undefined): void => {
  if (idProperty === undefined || account.properties.identifies(type, idProperty)) return;
  throw validationError(
    `Unable to perform update/upsert by non-unique ${type.id} property ${idProperty} in portal ID ${account.portalId}`,
  );
};

const checkDistinct = (inputs: readonly { readonly id: string }[]): void => {
  const ids = inputs.map(({ id }) => id);
  const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
  if (twice.length > 0)
    throw validationError(`Duplicate IDs found in batch input: [${twice.join(', ')}]. IDs must be unique`, {
      ids: twice,
    });
};

const absent = (type: ObjectType, ids: readonly string[]): object[] =>
  ids.length === 0
    ? []
    : [
        new HubspotError(
          404,
          `Could not get some ${type.singular.toUpperCase()} objects, they may be deleted or not exist. Check that ids are valid.`,
          { category: 'OBJECT_NOT_FOUND', context: { ids } },
        ).entry(),
      ];

const update = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const { inputs } = call.body(batchUpdate);
  checkSize(inputs);
  for (const { idProperty } of inputs) checkIdProperty(account, type, idProperty);
  checkDistinct(inputs);
  const there = inputs.filter(({ id, idProperty }) => findBy(account, type, id, idProperty));
  const gone = inputs.filter((input) => !there.includes(input)).map(({ id }) => id);
  const claim = claims(account, type);
  const { results, errors } = runBatch(there, ({ id, idProperty, properties }) => {
    const values = readValues(account, type, properties);
    const record = findBy(account, type, id, idProperty);
    checkUnique(account, type, values, record?.id);
    claim(values);
    return () => {
      const current = record && account.get(type, record.id);
      if (!current) throw new Error(`The ${type.singular} ${id} went away in the middle of a batch`);
      return written(account, type, updateRecord(account, type, current, values, call.source));
    };
  });
  const all = [...errors, ...absent(type, gone)];
  return batchAnswer(account, all.length > 0 ? 207 : 200, results, all, errors.length + gone.length);
};

const upsert = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const { inputs } = call.body(batchUpdate);
  checkSize(inputs);
  for (const { idProperty = 'hs_object_id' } of inputs) checkIdProperty(account, type, idProperty);
  checkDistinct(inputs);
  // Partial upserts are not supported with the e-mail address as key: there, one refusal is the refusal of all.
  const multiStatus = inputs.every(
    ({ idProperty, objectWriteTraceId }) => idProperty !== 'email' && objectWriteTraceId !== undefined,
  );
  const claim = claims(account, type);
  const { results, errors } = runBatch(
    inputs,
    ({ id, idProperty = '', properties, objectWriteTraceId }) => {
      const found = account.findUnique(type, idProperty, id);
      const values = readValues(account, type, found ? properties : { [idProperty]: id, ...properties });
      if (!found) checkRequired(type, values);
      checkUnique(account, type, values, found?.id);
      claim(values);
      return () => {
        const record = found
          ? updateRecord(account, type, account.get(type, found.id) ?? found, values, call.source)
          : createRecord(account, type, values, call.source);
        return {
          ...written(account, type, record),
          new: !found,
          ...(objectWriteTraceId !== undefined && { objectWriteTraceId }),
        };
      };
    },
    multiStatus,
  );
  // The dated interface has no 207 here.
  return batchAnswer(account, errors.length > 0 && !call.dated ? 207 : 200, results, errors);
};

const read = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const { inputs, idProperty, properties, propertiesWithHistory } = call.body(batchRead);
  checkSize(inputs);
  checkIdProperty(account, type, idProperty);
  const found = inputs.map(({ id }) => ({ id, record: findBy(account, type, id, idProperty) }));
  const records = new Map(found.flatMap(({ record }) => (record ? [[record.id, record] as const] : [])));
  const gone = found.filter(({ record }) => !record).map(({ id }) => id);
  const results = [...records.values()]
    .map((record) => readOut(account, type, record, properties, propertiesWithHistory))
    .reverse();
  return batchAnswer(account, gone.length > 0 ? 207 : 200, results, absent(type, gone), gone.length);
};

const archive = (call: Call): SandboxAnswer => {
  const { account } = call;
  const { inputs } = call.body(batchIds);
  checkSize(inputs);
  for (const { id } of inputs) {
    const record = account.get(call.type(), id);
    if (record) archiveRecord(account, call.type(), record, call.source);
  }
  return noContent;
};

/** Up to 100 records at a time. */
export const batchRoutes: readonly Route[] = [
  route('write', 'POST', '/crm/v3/objects/:object/batch/create', create),
  route('write', 'POST', '/crm/v3/objects/:object/batch/update', update),
  route('write', 'POST', '/crm/v3/objects/:object/batch/upsert', upsert),
  route('read', 'POST', '/crm/v3/objects/:object/batch/read', read),
  route('write', 'POST', '/crm/v3/objects/:object/batch/archive', archive),
];
