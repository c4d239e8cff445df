import * as z from 'zod';
import type { Records } from '../protocol/records.ts';
import type { SandboxAnswer } from '../protocol/server.ts';
import {
  associationTypes,
  IdInputs,
  invalidBatch,
  MOST_INPUTS,
  PurgeInput,
  refusal,
  standardProperties,
  UpsertInput,
} from './schema.ts';

const UpsertInputs = z.object({ inputs: z.array(UpsertInput).max(MOST_INPUTS) });

/** Upserts a batch by a unique property. Invalid inputs fail alone, with status 207. */
export const upsertBatch = (
  records: Records,
  customProperties: readonly string[],
  object: string,
  body: string,
): SandboxAnswer => {
  if (standardProperties[object] === undefined)
    return refusal(400, 'VALIDATION_ERROR', `Unable to infer object type from: ${object}`);
  const parsed = UpsertInputs.safeParse(JSON.parse(body));
  if (!parsed.success) return invalidBatch();
  const { inputs } = parsed.data;
  if (new Set(inputs.map(({ id }) => id)).size < inputs.length)
    return refusal(400, 'VALIDATION_ERROR', 'Duplicate IDs found in batch input');
  const conflict = object === 'contacts' ? emailConflict(records, inputs) : undefined;
  if (conflict) return conflict;
  const results: object[] = [];
  const errors: object[] = [];
  for (const input of inputs) {
    const objectWriteTraceId = input.objectWriteTraceId;
    const fault = inputFault(records, customProperties, object, input);
    if (fault) {
      errors.push({ status: 'error', ...fault, context: { objectWriteTraceId: [objectWriteTraceId] } });
      continue;
    }
    const { id, fields, created } = upsertOne(records, object, input);
    results.push({ id, properties: fields, new: created, archived: false, objectWriteTraceId });
  }
  return {
    status: errors.length > 0 ? 207 : 200,
    body: {
      status: 'COMPLETE',
      results,
      ...(errors.length > 0 && { numErrors: errors.length, errors }),
      startedAt: '2026-01-01T00:00:00Z',
      completedAt: '2026-01-01T00:00:00Z',
    },
  };
};

const upsertOne = (records: Records, object: string, { id, properties, associations }: UpsertInput) => {
  const fields = { ...properties, ...(associations && { contact: associations[0]?.to.id }) };
  const { record, created } = records.upsert(object, id, fields, (serial) => String(10_000 + serial));
  return { id: record.id, fields: record.fields, created };
};

/** The refusal of a whole batch where another contact has one of its e-mail addresses. */
const emailConflict = (records: Records, inputs: readonly UpsertInput[]): SandboxAnswer | undefined => {
  for (const { id, properties } of inputs) {
    const email = properties['email'];
    if (email === undefined || email === '') continue;
    const other = records.find('contacts', ({ key, fields }) => key !== id && fields['email'] === email);
    if (other) return refusal(409, 'CONFLICT', `Contact already exists. Existing ID: ${other.id}`);
  }
  return undefined;
};

const inputFault = (
  records: Records,
  customProperties: readonly string[],
  object: string,
  { properties, associations }: UpsertInput,
): { readonly category: string; readonly message: string } | undefined => {
  const known = [...(standardProperties[object] ?? []), ...customProperties];
  const unknown = Object.keys(properties).find((name) => !known.includes(name));
  if (unknown !== undefined)
    return { category: 'VALIDATION_ERROR', message: `Property "${unknown}" does not exist` };
  const email = properties['email'];
  // HubSpot knows the top-level domains; of those that never exist (RFC 2606) the sandbox knows one.
  const isAddress = (text: string): boolean => /^[^\s@]+@[^\s@]+\.(?!invalid$)[^\s@.]+$/u.test(text);
  if (typeof email === 'string' && email !== '' && !isAddress(email))
    return { category: 'VALIDATION_ERROR', message: `Email address ${email} is invalid` };
  const invalid = associations?.find(
    ({ to, types }) =>
      types.some(({ associationTypeId }) => associationTypeId !== associationTypes[object]) ||
      records.byId('contacts', to.id) === undefined,
  );
  return invalid
    ? { category: 'OBJECT_NOT_FOUND', message: `No contact with id ${invalid.to.id} can be associated` }
    : undefined;
};

/** Deletes a contact permanently, with the activities that are associated with it. */
export const purgeContact = (records: Records, body: string): SandboxAnswer => {
  const { objectId, idProperty } = PurgeInput.parse(JSON.parse(body));
  const contact =
    idProperty === undefined
      ? records.byId('contacts', objectId)
      : records.find('contacts', ({ fields }) => fields[idProperty] === objectId);
  if (contact === undefined) return refusal(404, 'OBJECT_NOT_FOUND', `No contact with ${objectId}`);
  for (const object of Object.keys(associationTypes))
    for (const { key, fields } of records.of(object))
      if (fields['contact'] === contact.id) records.remove(object, key);
  records.remove('contacts', contact.key);
  return { status: 204, body: '' };
};

/** Reads a batch by a unique property. Missing records are reported with status 207. */
export const readBatch = (records: Records, object: string, body: string): SandboxAnswer => {
  const parsed = IdInputs.safeParse(JSON.parse(body));
  if (!parsed.success) return invalidBatch();
  const { idProperty = '', inputs } = parsed.data;
  const found = inputs.flatMap(({ id }) => records.byKey(object, id) ?? []);
  const ids = inputs.filter(({ id }) => records.byKey(object, id) === undefined).map(({ id }) => id);
  const error = {
    status: 'error',
    category: 'OBJECT_NOT_FOUND',
    message: 'Could not get some objects, they may be deleted or not exist.',
    context: { ids },
  };
  return {
    status: ids.length > 0 ? 207 : 200,
    body: {
      status: 'COMPLETE',
      results: found.map(({ id, fields }) => ({ id, properties: { [idProperty]: fields[idProperty] } })),
      ...(ids.length > 0 && { numErrors: 1, errors: [error] }),
    },
  };
};

/** Archives a batch by id. */
export const archiveBatch = (records: Records, object: string, body: string): SandboxAnswer => {
  const parsed = IdInputs.safeParse(JSON.parse(body));
  if (!parsed.success) return invalidBatch();
  for (const { id } of parsed.data.inputs) {
    const record = records.byId(object, id);
    if (record) records.remove(object, record.key);
  }
  return { status: 204, body: '' };
};
