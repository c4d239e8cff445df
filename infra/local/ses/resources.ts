import * as z from 'zod';
import {
  type DeployContext,
  type ResourceTypes,
  resourceType,
  unless,
  unused,
} from '../cloudformation/resource-type.ts';

const text = z.string();
const EventDestination = z.strictObject({
  Name: text,
  Enabled: z.boolean(),
  MatchingEventTypes: z.array(text),
  SnsDestination: z.strictObject({ TopicARN: text }),
});

export const sesTypes: ResourceTypes = {
  'AWS::SES::ConfigurationSet': resourceType(
    z.strictObject({ Name: text, DeliveryOptions: unused, ReputationOptions: unused, Tags: unused }),
    async (_, { Name }, { callQuery }) => {
      const fields = { Action: 'CreateConfigurationSet', 'ConfigurationSet.Name': Name };
      await unless('ConfigurationSetAlreadyExists', callQuery('ses', fields));
      return { ref: Name };
    },
  ),
  'AWS::SES::ConfigurationSetEventDestination': resourceType(
    z.strictObject({ ConfigurationSetName: text, EventDestination }),
    async (id, { ConfigurationSetName, EventDestination: destination }, context) => {
      await createDestination(context, ConfigurationSetName, destination);
      return { ref: id };
    },
  ),
};

const createDestination = async (
  { callQuery }: DeployContext,
  ConfigurationSetName: string,
  { Name, Enabled, MatchingEventTypes, SnsDestination }: z.infer<typeof EventDestination>,
): Promise<void> => {
  const types = MatchingEventTypes.map((type, at) => [
    `EventDestination.MatchingEventTypes.member.${at + 1}`,
    type,
  ]);
  const fields = {
    Action: 'CreateConfigurationSetEventDestination',
    ConfigurationSetName,
    'EventDestination.Name': Name,
    'EventDestination.Enabled': String(Enabled),
    'EventDestination.SNSDestination.TopicARN': SnsDestination.TopicARN,
    ...Object.fromEntries(types),
  };
  await unless('EventDestinationAlreadyExists', callQuery('ses', fields));
};
