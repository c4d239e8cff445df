import { Stack } from 'aws-cdk-lib';
import type { HubFunction, SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';

/** What a function that publishes triggers finds in its environment. */
export const publishingEnvironment = (
  { storage }: SharedResources,
  { queue, deadLetters }: WorkQueue,
): Record<string, string> => ({
  BUS: storage.bus.eventBusName,
  QUEUE_ARN_DECISIONS: queue.queueArn,
  DEAD_ARN_DECISIONS: deadLetters.queueArn,
});

/** The ARN pattern of the rules that triggers have on the hub's bus. */
export const triggerRules = (stack: Stack, { storage }: SharedResources): string =>
  stack.formatArn({
    service: 'events',
    resource: 'rule',
    resourceName: `${storage.bus.eventBusName}/trigger-*`,
  });

/** Allows putting and deleting the rules of triggers, and no others. */
export const allowTriggerRules = (user: HubFunction, shared: SharedResources): void => {
  user.allow(
    ['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule'],
    triggerRules(Stack.of(user), shared),
  );
  // EventBridge checks this action against no resource.
  user.allow(['events:ListRules'], '*');
};
