import { setTimeout } from 'node:timers/promises';
import middy from '@middy/core';
import * as z from 'zod';
import { senders } from '../../connectors/senders/index.ts';
import { type LinkPurpose, signingKeys, signLink } from '../../core/consent/signed-link.ts';
import { signClick } from '../../core/triggers/message/click-link.ts';
import type { NotificationMessage } from '../../core/triggers/notification.ts';
import { refusal } from '../../core/triggers/sending/sender.ts';
import { publisher } from '../aws/clients/bus.ts';
import { clientConfig } from '../aws/clients/config.ts';
import { table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { sendAllTo } from '../aws/clients/queue-many.ts';
import { isAwsRefusal } from '../aws/clients/refusal.ts';
import { readSecret } from '../aws/clients/secret.ts';
import { signedCalls } from '../aws/clients/signed.ts';
import { addressReader } from '../aws/customers/addresses.ts';
import { guests } from '../aws/customers/guests.ts';
import { history } from '../aws/customers/history.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { config } from '../aws/operations/configuration.ts';
import { failureSaver } from '../aws/operations/save-failure.ts';
import { notifications } from '../aws/triggers/notifications.ts';
import { paces } from '../aws/triggers/paces.ts';
import { testMessages } from '../aws/triggers/test-messages.ts';
import { timer } from '../aws/triggers/timer.ts';
import { triggers } from '../aws/triggers/triggers.ts';
import { notificationEvent } from '../contracts/events/build.ts';
import { withMessage } from '../contracts/log.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { type NotifyMessage, notifyStage } from '../contracts/stages/notify.ts';
import { lambda } from '../middleware/lambda.ts';
import { type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { notify } from './notify.ts';
import { endPause, notifyAtPace, type PacingPorts, type QueuedNotification } from './pacing/pacing.ts';
import { senderStops } from './pacing/sender-stops.ts';
import type { NotifyPorts } from './ports.ts';
import { sendTest } from './test-send.ts';

const Environment = z.object({
  QUEUE_URL_DELIVERIES: z.string(),
  QUEUE_URL_NOTIFICATIONS: z.string(),
  QUEUE_ARN_NOTIFICATIONS: z.string(),
  DEAD_ARN_NOTIFICATIONS: z.string(),
  HUB: z.string(),
  PUBLIC_URL: z.string(),
  SES_CONFIGURATION_SET: z.string().optional(),
});

/** The most time of one request to a vendor. A function that has no more left than twice that starts no further send. */
const SEND_TIMEOUT_MS = 10_000;
const timeLimit = (): AbortSignal => AbortSignal.timeout(SEND_TIMEOUT_MS);

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
    call: signedCalls(runtime, { attempts: 1, timeLimit }),
    timeLimit,
    publicUrl: env.PUBLIC_URL,
    fetch: runtime.fetch ?? fetch,
    secret: (id) =>
      secret(`${env.HUB}/senders/${id}`).catch((error: unknown) => {
        if (!isAwsRefusal(error, 'ResourceNotFoundException')) throw error;
        throw refusal(
          `The secret of the sender ${id} is not stored. Store it with \`hub connect ${id} --sender\`, or name another sender in hub.yaml.`,
          { cause: error },
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
    async clickLinks() {
      const keys = signingKeys(await secret(`${env.HUB}/signing`));
      return (link) => `${env.PUBLIC_URL}/r/${signClick(link, keys)}`;
    },
    record: sendTo(runtime, env.QUEUE_URL_DELIVERIES),
    async publishEvent(type, notification) {
      await publish(notificationEvent(type, notification));
    },
    now: runtime.now,
    sleep: runtime.sleep ?? ((milliseconds) => setTimeout(milliseconds)),
  };
  const setTimer = timer(runtime, {
    queue: env.QUEUE_ARN_NOTIFICATIONS,
    deadLetters: env.DEAD_ARN_NOTIFICATIONS,
  });
  const tests = testMessages(rows, runtime.now);
  const putBack = sendAllTo(runtime, env.QUEUE_URL_NOTIFICATIONS);
  const pacing: Omit<PacingPorts, 'hasTime'> = {
    ...ports,
    paces: paces(runtime, rows),
    stops: senderStops(runtime, rows, publish),
    notify: ({ message, record }, known, sender) =>
      withMessage(record.messageId, () =>
        notify({ ...ports, saveFailure: (error) => refused(record, error) })(message, known, sender),
      ),
    requeue: (messages) =>
      putBack(messages.map(({ message, delaySeconds }) => ({ body: JSON.stringify(message), delaySeconds }))),
    schedule: (message, at) =>
      setTimer(
        [message.trigger, message.profileId, message.interaction, ...stepIn(message), 'send', at],
        message,
        at,
      ),
  };
  return middy<QueueEvent<NotifyMessage>, QueueResult>()
    .use(queueStack(notifyStage, attempts(runtime, rows)))
    .handler(async ({ messages }, context) => {
      const hasTime = (): boolean => context.getRemainingTimeInMillis() > 2 * SEND_TIMEOUT_MS;
      const toSend: QueuedNotification[] = [];
      const failedTests = new Map<string, unknown>();
      for (const { message, ...queued } of messages)
        if ('sender' in message) await endPause(pacing, message.sender);
        else if ('test' in message)
          await sendTest(
            { ...ports, tests, saveFailure: (error) => refused(queued.record, error) },
            message,
          ).catch((error: unknown) => failedTests.set(queued.id, error));
        else toSend.push({ ...queued, message });
      return new Map([...failedTests, ...(await notifyAtPace({ ...pacing, hasTime })(toSend))]);
    });
};

/** Two messages of one series may wait until the same time. */
const stepIn = ({ step }: NotificationMessage): string[] => (step === undefined ? [] : [step]);

export const handler = lambda(create);
