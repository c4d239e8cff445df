import { setTimeout } from 'node:timers/promises';
import middy from '@middy/core';
import * as z from 'zod';
import { senders } from '../../connectors/senders/index.ts';
import { type LinkPurpose, signingKeys, signLink } from '../../core/consent/signed-link.ts';
import type { NotificationMessage } from '../../core/triggers/notification.ts';
import { refusal } from '../../core/triggers/sender.ts';
import { publisher } from '../aws/clients/bus.ts';
import { clientConfig } from '../aws/clients/config.ts';
import { table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { isAwsRefusal } from '../aws/clients/refusal.ts';
import { readSecret } from '../aws/clients/secret.ts';
import { signedCalls } from '../aws/clients/signed.ts';
import { addressReader } from '../aws/customers/addresses.ts';
import { guests } from '../aws/customers/guests.ts';
import { history } from '../aws/customers/history.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { config } from '../aws/operations/configuration.ts';
import { notifications } from '../aws/operations/notifications.ts';
import { failureSaver } from '../aws/operations/save-failure.ts';
import { triggers } from '../aws/operations/triggers.ts';
import { notificationEvent } from '../contracts/events/build.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { notifyStage } from '../contracts/stages/notify.ts';
import { lambda } from '../middleware/lambda.ts';
import { eachMessage, type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { notify } from './notify.ts';
import type { NotifyPorts } from './ports.ts';

const Environment = z.object({
  QUEUE_URL_DELIVERIES: z.string(),
  HUB: z.string(),
  PUBLIC_URL: z.string(),
  SES_CONFIGURATION_SET: z.string().optional(),
});

export const create = (runtime: Runtime) => {
  const env = Environment.parse(runtime.env);
  const rows = table(runtime);
  const { hub, identity } = config(runtime, rows);
  const publish = publisher(runtime);
  const secret = readSecret(runtime);
  const built = senders({
    configurationSet: env.SES_CONFIGURATION_SET,
    // One attempt: after a lost connection `notify` decides whether the message may be sent again.
    aws: { ...clientConfig(runtime), maxAttempts: 1 },
    call: signedCalls(runtime, { attempts: 1 }),
    fetch: runtime.fetch ?? fetch,
    secret: (id) =>
      secret(`${env.HUB}/senders/${id}`).catch((error: unknown) => {
        if (!isAwsRefusal(error, 'ResourceNotFoundException')) throw error;
        throw refusal(
          `The secret of the sender ${id} is not stored. Put it into Secrets Manager under ${env.HUB}/senders/${id}, or name another sender in hub.yaml.`,
          { retry: 'never', cause: error },
        );
      }),
  });
  const refused = failureSaver(runtime, rows, notifyStage);
  const ports: Omit<NotifyPorts, 'saveFailure'> = {
    notifications: notifications(rows, hub, runtime.now),
    triggers: triggers(rows),
    history: history(rows),
    guests: guests(rows, identity),
    addresses: addressReader(rows, identity),
    hub,
    sender: (id) => runtime.senders?.[id] ?? built[id],
    async links(address, channel, sentAt) {
      const keys = signingKeys(await secret(`${env.HUB}/signing`));
      const issuedAt = Math.floor(Date.parse(sentAt) / 1000);
      const link = (purpose: LinkPurpose): string =>
        `${env.PUBLIC_URL}/${purpose}/${signLink(purpose, { address, channel, issuedAt }, keys)}`;
      return {
        unsubscribe: link('unsubscribe'),
        preferences: link('preferences'),
        confirm: link('confirm'),
      };
    },
    record: sendTo(runtime, env.QUEUE_URL_DELIVERIES),
    async publishEvent(type, notification) {
      await publish(notificationEvent(type, notification));
    },
    now: runtime.now,
    sleep: runtime.sleep ?? ((milliseconds) => setTimeout(milliseconds)),
  };
  return middy<QueueEvent<NotificationMessage>, QueueResult>()
    .use(queueStack(notifyStage, attempts(runtime, rows)))
    .handler(
      eachMessage<NotificationMessage>((message, record) =>
        notify({ ...ports, saveFailure: (error) => refused(record, error) })(message),
      ),
    );
};

export const handler = lambda(create);
