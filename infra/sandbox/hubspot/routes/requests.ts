import { z } from 'zod';
import { HubspotError, validationError } from '../errors.ts';

/** Bodies as HubSpot's published models have them: required names are required, others than the named are refused. */

const properties = z.record(z.string(), z.string());
const ref = z.strictObject({ id: z.string() });
const associationTypes = z.array(
  z.strictObject({
    associationCategory: z.enum(['HUBSPOT_DEFINED', 'USER_DEFINED', 'INTEGRATOR_DEFINED']),
    associationTypeId: z.int(),
  }),
);

const batch = <Input extends z.ZodType>(input: Input) => z.strictObject({ inputs: z.array(input) });

export const updateInput = z.strictObject({ properties });
export const createInput = z.strictObject({
  properties,
  associations: z.array(z.strictObject({ to: ref, types: associationTypes })).optional(),
});
export const batchCreate = batch(createInput.extend({ objectWriteTraceId: z.string().optional() }));
export const batchUpdate = batch(
  z.strictObject({
    id: z.string(),
    properties,
    idProperty: z.string().optional(),
    objectWriteTraceId: z.string().optional(),
  }),
);
export const batchIds = batch(ref);
export const batchRead = z.strictObject({
  inputs: z.array(ref),
  properties: z.array(z.string()),
  propertiesWithHistory: z.array(z.string()),
  idProperty: z.string().optional(),
});

const filter = z.strictObject({
  propertyName: z.string(),
  operator: z.enum([
    'EQ',
    'NEQ',
    'LT',
    'LTE',
    'GT',
    'GTE',
    'BETWEEN',
    'IN',
    'NOT_IN',
    'HAS_PROPERTY',
    'NOT_HAS_PROPERTY',
    'CONTAINS_TOKEN',
    'NOT_CONTAINS_TOKEN',
  ]),
  value: z.string().optional(),
  highValue: z.string().optional(),
  values: z.array(z.string()).optional(),
});
export type Filter = z.infer<typeof filter>;

// The model has sorts as texts; the guide to the search API shows objects, and both work.
const sort = z.union([
  z.string(),
  z.strictObject({ propertyName: z.string(), direction: z.enum(['ASCENDING', 'DESCENDING']).optional() }),
]);
export const searchRequest = z.strictObject({
  query: z.string().optional(),
  limit: z.int().optional(),
  after: z.string().optional(),
  sorts: z.array(sort).optional(),
  properties: z.array(z.string()).optional(),
  filterGroups: z.array(z.strictObject({ filters: z.array(filter) })).optional(),
});

export const mergeRequest = z.strictObject({ primaryObjectId: z.string(), objectIdToMerge: z.string() });
export const gdprDeleteRequest = z.strictObject({ objectId: z.string(), idProperty: z.string().optional() });

export const associationTypesBody = associationTypes;
export const associationCreate = batch(z.strictObject({ from: ref, to: ref, types: associationTypes }));
export const associationDefault = batch(z.strictObject({ from: ref, to: ref }));
export const associationArchive = batch(z.strictObject({ from: ref, to: z.array(ref) }));
export const associationRead = batch(z.strictObject({ id: z.string(), after: z.string().optional() }));
export const labelRequest = z.strictObject({
  label: z.string(),
  name: z.string(),
  inverseLabel: z.string().optional(),
});

const option = z.strictObject({
  label: z.string(),
  value: z.string(),
  hidden: z.boolean(),
  displayOrder: z.int().optional(),
  description: z.string().optional(),
});
const propertyType = z.enum(['string', 'number', 'date', 'datetime', 'enumeration', 'bool']);
const fieldType = z.enum([
  'textarea',
  'text',
  'date',
  'file',
  'number',
  'select',
  'radio',
  'checkbox',
  'booleancheckbox',
  'calculation_equation',
]);
const propertyFields = {
  hidden: z.boolean().optional(),
  displayOrder: z.int().optional(),
  description: z.string().optional(),
  formField: z.boolean().optional(),
  options: z.array(option).optional(),
  calculationFormula: z.string().optional(),
};
export const propertyCreate = z.strictObject({
  ...propertyFields,
  name: z.string(),
  label: z.string(),
  type: propertyType,
  fieldType,
  groupName: z.string(),
  referencedObjectType: z.string().optional(),
  hasUniqueValue: z.boolean().optional(),
  externalOptions: z.boolean().optional(),
});
export const propertyUpdate = z.strictObject({
  ...propertyFields,
  label: z.string().optional(),
  type: propertyType.optional(),
  fieldType: fieldType.optional(),
  groupName: z.string().optional(),
});
export const groupCreate = z.strictObject({
  name: z.string(),
  label: z.string(),
  displayOrder: z.int().optional(),
});
export const batchPropertyCreate = batch(propertyCreate);
const propertyName = z.strictObject({ name: z.string() });
export const batchPropertyNames = batch(propertyName);
export const batchPropertyRead = z.strictObject({ inputs: z.array(propertyName), archived: z.boolean() });

const RECORDS_PER_BATCH = 100;

/** The body by its schema; throws HubSpot's refusal. */
export const parseBody = <Schema extends z.ZodType>(schema: Schema, body: string): z.infer<Schema> => {
  let json: unknown;
  try {
    json = JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw invalidJson(': Unexpected character');
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw refusal(parsed.error.issues, json);
  return parsed.data;
};

/** Refuses a batch of more than 100 inputs. */
export const checkSize = (inputs: readonly unknown[], limit = RECORDS_PER_BATCH): void => {
  if (inputs.length > limit)
    throw validationError(
      `The maximum number of inputs supported in a batch request for this API is ${limit}`,
    );
};

const invalidJson = (rest: string): HubspotError =>
  new HubspotError(400, `Invalid input JSON on line 1, column 2${rest}`, { category: 'VALIDATION_ERROR' });

const refusal = (issues: readonly z.core.$ZodIssue[], json: unknown): HubspotError => {
  const unset = issues.filter((issue) => issue.path.length > 0 && valueAt(json, issue.path) === undefined);
  if (unset.length > 0)
    return invalidJson(
      `. Some required fields were not set: [${unset.map(({ path }) => String(path.at(-1))).join(', ')}]`,
    );
  const [first] = issues;
  if (first?.code === 'unrecognized_keys')
    return invalidJson(`: Unrecognized field "${first.keys[0]}", not marked as ignorable`);
  return invalidJson(`: Cannot deserialize the value at ${first?.path.join('.') || 'the root'}`);
};

const valueAt = (json: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    json,
  );
