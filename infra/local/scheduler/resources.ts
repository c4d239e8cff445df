import * as z from 'zod';
import { arnOf, type ResourceTypes, resourceType, unless, unused } from '../cloudformation/resource-type.ts';

export const schedulerTypes: ResourceTypes = {
  'AWS::Scheduler::ScheduleGroup': resourceType(
    z.strictObject({ Name: z.string(), Tags: unused }),
    async (_, { Name }, context) => {
      const call = { method: 'POST', path: `/schedule-groups/${Name}`, body: '{}' };
      await unless('ConflictException', context.callRest('scheduler', call));
      return { ref: Name, attributes: { Arn: arnOf(context, 'scheduler', `schedule-group/${Name}`) } };
    },
  ),
};
