import * as z from 'zod';
import { type Operation, ServiceError } from '../../protocol/json.ts';
import type { ServiceContext } from '../../protocol/service.ts';
import { parseInput } from '../input.ts';
import { TableName } from '../items/items.ts';
import { invalid } from '../values/values.ts';
import { expectValidDefinition } from './definition-checks.ts';
import type { Store } from './store.ts';
import { AttributeDefinitions, Definition, type Index, IndexDefinition, Table } from './table.ts';

const Named = z.looseObject({ TableName });
const Throughput = z.object({ ReadCapacityUnits: z.int().min(1), WriteCapacityUnits: z.int().min(1) });
const UpdateInput = z.looseObject({
  TableName,
  AttributeDefinitions: AttributeDefinitions.optional(),
  BillingMode: z.enum(['PROVISIONED', 'PAY_PER_REQUEST']).optional(),
  ProvisionedThroughput: Throughput.optional(),
  DeletionProtectionEnabled: z.boolean().optional(),
  GlobalSecondaryIndexUpdates: z
    .array(
      z.object({
        Create: IndexDefinition.optional(),
        Delete: z.object({ IndexName: z.string() }).optional(),
        Update: z.looseObject({ IndexName: z.string() }).optional(),
      }),
    )
    .optional(),
});

/** CreateTable, DescribeTable, UpdateTable, DeleteTable and ListTables. */
export const tables = (store: Store, context: ServiceContext): Record<string, Operation> => {
  const described = (table: Table, status = 'ACTIVE', index?: { name: string; status: string }): object =>
    description(store, table, context, status, index);
  const named = (input: unknown): Table => store.table(parseInput(Named, input).TableName, true);
  return {
    CreateTable(input) {
      const definition = parseInput(Definition, input);
      expectValidDefinition(definition);
      const table = new Table(definition, {
        createdAt: context.clock.now(),
        id: context.newId(),
      });
      store.create(table);
      return { TableDescription: described(table, 'CREATING') };
    },
    DescribeTable: (input) => ({ Table: described(named(input)) }),
    UpdateTable(input) {
      const { table, changed } = updatedTable(named(input), input);
      store.replace(table);
      return { TableDescription: described(table, 'UPDATING', changed) };
    },
    DeleteTable(input) {
      const table = named(input);
      if (table.definition.DeletionProtectionEnabled === true)
        throw invalid(
          'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
        );
      const TableDescription = described(table, 'DELETING');
      store.drop(table);
      return { TableDescription };
    },
    ListTables(input) {
      const { Limit: limit, ExclusiveStartTableName: start = '' } = parseInput(
        z.looseObject({
          Limit: z.int().min(1).max(100).default(100),
          ExclusiveStartTableName: z.string().optional(),
        }),
        input,
      );
      const names = store.names().filter((name) => name > start);
      const page = names.slice(0, limit);
      return {
        TableNames: page,
        ...(names.length > limit && { LastEvaluatedTableName: page.at(-1) }),
      };
    },
  };
};

/** The table that UpdateTable leads to, and the index that it creates. */
const updatedTable = (
  table: Table,
  raw: unknown,
): { readonly table: Table; readonly changed?: { name: string; status: string } } => {
  const input = parseInput(UpdateInput, raw);
  const { definition, details } = table;
  const updates = input.GlobalSecondaryIndexUpdates ?? [];
  const changes = [
    'BillingMode',
    'ProvisionedThroughput',
    'GlobalSecondaryIndexUpdates',
    'DeletionProtectionEnabled',
    'StreamSpecification',
    'SSESpecification',
    'TableClass',
    'ReplicaUpdates',
    'OnDemandThroughput',
    'WarmThroughput',
  ];
  if (!changes.some((name) => input[name] !== undefined))
    throw invalid(
      'At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required',
    );
  let indexes = definition.GlobalSecondaryIndexes ?? [];
  let changed: { name: string; status: string } | undefined;
  if (updates.filter(({ Update }) => Update === undefined).length > 1)
    throw new ServiceError(
      'LimitExceededException',
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  for (const { Create, Delete, Update } of updates) {
    if ([Create, Delete, Update].filter((one) => one !== undefined).length !== 1)
      throw invalid(
        'One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null',
      );
    const name = Create?.IndexName ?? Delete?.IndexName ?? Update?.IndexName ?? '';
    const known = table.indexes.some((index) => index.name === name);
    if (Create) {
      if (known) throw invalid('Attempting to create an index which already exists');
      indexes = [...indexes, Create];
      changed = { name, status: 'CREATING' };
    } else if (!known) throw new ServiceError('ResourceNotFoundException', 'Requested resource not found');
    else if (Delete) indexes = indexes.filter(({ IndexName }) => IndexName !== name);
    else indexes = indexes.map((index) => (index.IndexName === name ? { ...index, ...Update } : index));
  }
  const { GlobalSecondaryIndexUpdates: _updates, ...rest } = input;
  const attributes = mergedAttributes(definition, input.AttributeDefinitions ?? [], indexes);
  const { GlobalSecondaryIndexes: _old, ...base } = definition;
  const next = parseInput(Definition, {
    ...base,
    ...rest,
    TableName: table.name,
    AttributeDefinitions: attributes,
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    ...(input.BillingMode === 'PAY_PER_REQUEST' && { ProvisionedThroughput: undefined }),
  });
  expectValidDefinition(next);
  return { table: new Table(next, details), ...(changed && { changed }) };
};

/** The attribute definitions that the keys use: DynamoDB removes a definition with the last index that used it. */
const mergedAttributes = (
  definition: Definition,
  fresh: Definition['AttributeDefinitions'],
  indexes: readonly IndexDefinition[],
): Definition['AttributeDefinitions'] => {
  const used = new Set(
    [definition, ...indexes, ...(definition.LocalSecondaryIndexes ?? [])].flatMap(({ KeySchema }) =>
      KeySchema.map(({ AttributeName }) => AttributeName),
    ),
  );
  const all = new Map([...fresh, ...definition.AttributeDefinitions].map((one) => [one.AttributeName, one]));
  return [...all.values()].filter(({ AttributeName }) => used.has(AttributeName));
};

const arnOf = (table: Table, { region, account }: ServiceContext): string =>
  `arn:aws:dynamodb:${region}:${account}:table/${table.name}`;

const description = (
  store: Store,
  table: Table,
  context: ServiceContext,
  status: string,
  changed: { readonly name: string; readonly status: string } | undefined,
): object => {
  const { definition, details } = table;
  const { count, bytes } = store.extent(table);
  const throughput = (given: z.infer<typeof Throughput> | undefined): object => ({
    NumberOfDecreasesToday: 0,
    ReadCapacityUnits: given?.ReadCapacityUnits ?? 0,
    WriteCapacityUnits: given?.WriteCapacityUnits ?? 0,
  });
  const index = (one: Index): object => ({
    IndexName: one.name,
    KeySchema: one.definition.KeySchema,
    Projection: one.definition.Projection,
    IndexArn: `${arnOf(table, context)}/index/${one.name}`,
    ItemCount: store.entryCount(table, one),
    IndexSizeBytes: 0,
    ...(one.global && {
      IndexStatus: one.name === changed?.name ? changed.status : status === 'CREATING' ? status : 'ACTIVE',
      ProvisionedThroughput: throughput(one.definition.ProvisionedThroughput),
    }),
  });
  const of = (global: boolean): object[] | undefined => {
    const own = table.indexes.filter((one) => one.global === global);
    return own.length === 0 ? undefined : own.map(index);
  };
  return {
    TableName: table.name,
    TableArn: arnOf(table, context),
    TableId: details.id,
    TableStatus: status,
    CreationDateTime: details.createdAt / 1000,
    KeySchema: definition.KeySchema,
    AttributeDefinitions: definition.AttributeDefinitions,
    ProvisionedThroughput: throughput(definition.ProvisionedThroughput),
    ...(definition.BillingMode !== undefined && {
      BillingModeSummary: { BillingMode: definition.BillingMode },
    }),
    GlobalSecondaryIndexes: of(true),
    LocalSecondaryIndexes: of(false),
    DeletionProtectionEnabled: definition.DeletionProtectionEnabled ?? false,
    ItemCount: count,
    TableSizeBytes: bytes,
  };
};
