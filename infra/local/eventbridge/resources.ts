import * as z from 'zod';
import {
  arnOf,
  type DeployContext,
  document,
  number,
  physicalName,
  type ResourceTypes,
  resourceType,
  unless,
  unused,
} from '../cloudformation/resource-type.ts';

const Rule = z.strictObject({
  EventBusName: z.string().default('default'),
  EventPattern: document.optional(),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Name: z.string().optional(),
  Description: z.string().optional(),
  Targets: z.array(document).default([]),
});

const Archive = z.strictObject({
  ArchiveName: z.string().optional(),
  SourceArn: z.string(),
  Description: z.string().optional(),
  EventPattern: document.optional(),
  RetentionDays: number.optional(),
  KmsKeyIdentifier: z.string().optional(),
});

export const eventbridgeTypes: ResourceTypes = {
  'AWS::Events::EventBus': resourceType(
    z.strictObject({
      Name: z.string(),
      Description: z.string().optional(),
      Tags: unused,
      DeadLetterConfig: unused,
      KmsKeyIdentifier: z.string().optional(),
    }),
    async (_, { Name }, context) => {
      await createBus(context, { Name });
      return { ref: Name, attributes: { Arn: arnOf(context, 'events', `event-bus/${Name}`), Name } };
    },
  ),
  'AWS::Events::Rule': resourceType(Rule, async (id, properties, context) => {
    const { EventBusName, EventPattern, ScheduleExpression, State, Targets } = properties;
    const { Name = id.slice(0, 64) } = properties;
    // In an account the bus of a partner exists before the stack: the partner's administrator has created it.
    if (EventBusName.startsWith('aws.partner/'))
      await createBus(context, { Name: EventBusName, EventSourceName: EventBusName });
    await context.call('events', 'AWSEvents.PutRule', {
      ...{ Name, EventBusName, State },
      ...(EventPattern && { EventPattern: JSON.stringify(EventPattern) }),
      ...(ScheduleExpression !== undefined && { ScheduleExpression }),
    });
    if (Targets.length > 0)
      await context.call('events', 'AWSEvents.PutTargets', { Rule: Name, EventBusName, Targets });
    const isDefault = EventBusName === 'default';
    const Arn = arnOf(context, 'events', `rule/${isDefault ? Name : `${EventBusName}/${Name}`}`);
    return { ref: isDefault ? Name : `${EventBusName}|${Name}`, attributes: { Arn } };
  }),
  'AWS::Events::Archive': resourceType(Archive, async (id, properties, context) => {
    const { SourceArn, EventPattern, RetentionDays, KmsKeyIdentifier } = properties;
    const { ArchiveName = physicalName(context, id).slice(-48) } = properties;
    const settings = {
      ArchiveName,
      ...(EventPattern && { EventPattern: JSON.stringify(EventPattern) }),
      ...(RetentionDays !== undefined && { RetentionDays }),
      ...(KmsKeyIdentifier !== undefined && { KmsKeyIdentifier }),
    };
    const created = await unless(
      'ResourceAlreadyExistsException',
      context.call('events', 'AWSEvents.CreateArchive', { ...settings, EventSourceArn: SourceArn }),
    );
    if (created === undefined) await context.call('events', 'AWSEvents.UpdateArchive', settings);
    const Arn = arnOf(context, 'events', `archive/${ArchiveName}`);
    return { ref: ArchiveName, attributes: { ArchiveName, Arn } };
  }),
};

const createBus = async ({ call }: DeployContext, input: object): Promise<void> => {
  await unless('ResourceAlreadyExistsException', call('events', 'AWSEvents.CreateEventBus', input));
};
