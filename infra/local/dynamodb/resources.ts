import * as z from 'zod';
import {
  arnOf,
  type DeployContext,
  physicalName,
  type ResourceTypes,
  resourceType,
  unless,
  unused,
} from '../cloudformation/resource-type.ts';

const TimeToLive = z.object({ AttributeName: z.string(), Enabled: z.boolean() });
const Described = z.object({ Table: z.object({ TableStatus: z.string() }) });
const DescribedTimeToLive = z.object({
  TimeToLiveDescription: z.object({ TimeToLiveStatus: z.string() }),
});
const POLL_MS = 500;

export const dynamodbTypes: ResourceTypes = {
  'AWS::DynamoDB::Table': resourceType(
    z.strictObject({
      AttributeDefinitions: z.array(z.unknown()),
      KeySchema: z.array(z.unknown()),
      BillingMode: z.string().optional(),
      TableName: z.string().optional(),
      SSESpecification: unused,
      PointInTimeRecoverySpecification: unused,
      TimeToLiveSpecification: TimeToLive.optional(),
      DeletionProtectionEnabled: z.boolean().optional(),
      Tags: unused,
    }),
    async (
      id,
      { AttributeDefinitions, KeySchema, BillingMode, TableName, TimeToLiveSpecification },
      context,
    ) => {
      const name = TableName ?? physicalName(context, id);
      const input = { TableName: name, AttributeDefinitions, KeySchema, BillingMode };
      await unless(
        'ResourceInUseException',
        context.call('dynamodb', 'DynamoDB_20120810.CreateTable', input),
      );
      if (TimeToLiveSpecification) await setTimeToLive(context, name, TimeToLiveSpecification);
      return { ref: name, attributes: { Arn: arnOf(context, 'dynamodb', `table/${name}`) } };
    },
  ),
};

/** Sets a table's time to live. A real endpoint refuses it while the table is being created, and where nothing changes. */
const setTimeToLive = async (
  context: DeployContext,
  TableName: string,
  specification: z.infer<typeof TimeToLive>,
): Promise<void> => {
  const call = (operation: string, input: object = {}): Promise<Readonly<Record<string, unknown>>> =>
    context.call('dynamodb', `DynamoDB_20120810.${operation}`, { TableName, ...input });
  while (Described.parse(await call('DescribeTable')).Table.TableStatus === 'CREATING')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  const { TimeToLiveDescription } = DescribedTimeToLive.parse(await call('DescribeTimeToLive'));
  if (TimeToLiveDescription.TimeToLiveStatus.startsWith('ENABL') !== specification.Enabled)
    await call('UpdateTimeToLive', { TimeToLiveSpecification: specification });
};
