import { invalid } from '../values/values.ts';
import { type Definition, type IndexDefinition, keyNamesOf } from './table.ts';

const invalidParameter = (reason: string): Error =>
  invalid(`One or more parameter values were invalid: ${reason}`);
const MOST_LOCAL = 5;
const MOST_GLOBAL = 20;
const MOST_PROJECTED = 100;

/** Throws DynamoDB's error where the parts of a definition contradict each other. */
export const expectValidDefinition = (definition: Definition): void => {
  expectBilling(definition);
  expectKeys(definition.KeySchema, definition);
  const { LocalSecondaryIndexes: local, GlobalSecondaryIndexes: global, KeySchema } = definition;
  const { hash, range } = keyNamesOf(KeySchema);
  if (local?.length === 0) throw invalidParameter('List of LocalSecondaryIndexes is empty');
  if (global?.length === 0) throw invalidParameter('List of GlobalSecondaryIndexes is empty');
  if (local && range === undefined)
    throw invalidParameter(
      'Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex',
    );
  for (const index of local ?? []) {
    expectKeys(index.KeySchema, definition);
    const keys = keyNamesOf(index.KeySchema);
    if (keys.range === undefined)
      throw invalidParameter(`Index KeySchema does not have a range key for index: ${index.IndexName}`);
    if (keys.hash !== hash)
      throw invalidParameter(
        `Index KeySchema does not have the same leading hash key as table KeySchema for index: ${index.IndexName}. index hash key: ${keys.hash}, table hash key: ${hash}`,
      );
  }
  for (const index of global ?? []) {
    expectKeys(index.KeySchema, definition);
    expectIndexBilling(index, definition);
  }
  expectIndexes([...(local ?? []), ...(global ?? [])]);
  if ((local?.length ?? 0) > MOST_LOCAL)
    throw invalidParameter('Number of LocalSecondaryIndexes exceeds per-table limit of 5');
  if ((global?.length ?? 0) > MOST_GLOBAL)
    throw invalidParameter('GlobalSecondaryIndex count exceeds the per-table limit of 20');
  expectAttributesUsed(definition);
};

const expectBilling = ({ BillingMode: mode, ProvisionedThroughput: throughput }: Definition): void => {
  if (mode === 'PAY_PER_REQUEST' && throughput)
    throw invalidParameter(
      'Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
    );
  if (mode !== 'PAY_PER_REQUEST' && throughput === undefined)
    throw invalidParameter(
      'ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
    );
};

const expectIndexBilling = (index: IndexDefinition, { BillingMode: mode }: Definition): void => {
  if (mode === 'PAY_PER_REQUEST' && index.ProvisionedThroughput)
    throw invalidParameter(
      `ProvisionedThroughput should not be specified for index: ${index.IndexName} when BillingMode is PAY_PER_REQUEST`,
    );
  if (mode !== 'PAY_PER_REQUEST' && index.ProvisionedThroughput === undefined)
    throw invalidParameter(`ProvisionedThroughput must be specified for index: ${index.IndexName}`);
};

const expectKeys = (schema: Definition['KeySchema'], { AttributeDefinitions }: Definition): void => {
  const names = schema.map(({ AttributeName }) => AttributeName);
  const defined = AttributeDefinitions.map(({ AttributeName }) => AttributeName);
  if (names.some((name) => !defined.includes(name)))
    throw invalidParameter(
      `Some index key attributes are not defined in AttributeDefinitions. Keys: [${names.join(', ')}], AttributeDefinitions: [${defined.join(', ')}]`,
    );
  if (names[0] === names[1])
    throw invalid('Both the Hash Key and the Range Key element in the KeySchema have the same name');
  if (schema[0]?.KeyType !== 'HASH')
    throw invalid('Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
  if (schema[1] && schema[1].KeyType !== 'RANGE')
    throw invalid('Invalid KeySchema: The second KeySchemaElement is not a RANGE key type');
};

const expectIndexes = (indexes: readonly IndexDefinition[]): void => {
  const names = new Set<string>();
  let projected = 0;
  for (const { IndexName: name, Projection } of indexes) {
    const { ProjectionType: type, NonKeyAttributes: others } = Projection;
    if (type === undefined) throw invalidParameter('Unknown ProjectionType: null');
    if (others && type !== 'INCLUDE')
      throw invalidParameter(`ProjectionType is ${type}, but NonKeyAttributes is specified`);
    if (!others && type === 'INCLUDE')
      throw invalidParameter('ProjectionType is INCLUDE, but NonKeyAttributes is not specified');
    if (names.has(name)) throw invalidParameter(`Duplicate index name: ${name}`);
    names.add(name);
    projected += others?.length ?? 0;
  }
  if (projected > MOST_PROJECTED)
    throw invalidParameter('Number of NonKeyAttributes exceeds the per-table limit of 100');
};

const expectAttributesUsed = (definition: Definition): void => {
  const indexes = [...(definition.LocalSecondaryIndexes ?? []), ...(definition.GlobalSecondaryIndexes ?? [])];
  const used = new Set(
    [definition, ...indexes].flatMap(({ KeySchema }) => KeySchema.map(({ AttributeName }) => AttributeName)),
  );
  const defined = definition.AttributeDefinitions.map(({ AttributeName }) => AttributeName);
  if (new Set(defined).size < defined.length)
    throw invalidParameter('Duplicate attribute in AttributeDefinitions');
  if (defined.length > used.size)
    throw invalidParameter(
      indexes.length === 0
        ? 'Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions'
        : `Some AttributeDefinitions are not used. AttributeDefinitions: [${defined.join(', ')}], keys used: [${[...used].join(', ')}]`,
    );
};
