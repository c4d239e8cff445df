import middy from '@middy/core';
import * as z from 'zod';
import type { DecisionMessage } from '../../core/triggers/notification.ts';
import { publisher } from '../aws/clients/bus.ts';
import { table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { addressReader } from '../aws/customers/addresses.ts';
import { guests } from '../aws/customers/guests.ts';
import { history } from '../aws/customers/history.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { config } from '../aws/operations/configuration.ts';
import { notifications } from '../aws/triggers/notifications.ts';
import { places } from '../aws/triggers/places.ts';
import { timer } from '../aws/triggers/timer.ts';
import { triggers } from '../aws/triggers/triggers.ts';
import { goalChecked, notificationEvent } from '../contracts/events/build.ts';
import { log } from '../contracts/log.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { decideStage } from '../contracts/stages/decide.ts';
import { lambda } from '../middleware/lambda.ts';
import { eachMessage, type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { decideMessage } from './messages.ts';

const Environment = z.object({
  QUEUE_URL_NOTIFICATIONS: z.string(),
  QUEUE_ARN_DECISIONS: z.string(),
  DEAD_ARN_DECISIONS: z.string(),
});

export const create = (runtime: Runtime) => {
  const env = Environment.parse(runtime.env);
  const rows = table(runtime);
  const { hub, identity } = config(runtime, rows);
  const publish = publisher(runtime);
  const setTimer = timer(runtime, { queue: env.QUEUE_ARN_DECISIONS, deadLetters: env.DEAD_ARN_DECISIONS });
  const use = decideMessage({
    triggers: triggers(rows),
    notifications: notifications(rows, hub, runtime.now),
    places: places(rows, hub),
    history: history(rows),
    guests: guests(rows, identity),
    hub,
    addresses: addressReader(rows, identity),
    schedule: (message, at) =>
      setTimer([message.trigger, message.profileId, message.interaction, message.timer], message, at),
    enqueue: sendTo(runtime, env.QUEUE_URL_NOTIFICATIONS),
    async publishSuppressed(notification) {
      const { reason, trigger, interaction } = notification;
      if (reason === 'claim-cap') log('warn', 'claim-cap', { trigger, interaction });
      await publish(notificationEvent('notification.suppressed', notification));
    },
    publishWaiting: (notification) => publish(notificationEvent('notification.waiting', notification)),
    publishGoal: (notification) => publish(goalChecked(notification)),
    now: runtime.now,
    pausing: runtime,
  });
  return middy<QueueEvent<DecisionMessage>, QueueResult>()
    .use(queueStack(decideStage, attempts(runtime, rows)))
    .handler(eachMessage(use));
};

export const handler = lambda(create);
