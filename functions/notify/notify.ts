import { HubError } from '../../core/errors.ts';
import { type Identifier, identifierValue } from '../../core/identity/identifier.ts';
import { type Channel, instant } from '../../core/interaction/interaction.ts';
import { type ChosenOrReason, chooseChannel } from '../../core/triggers/channel-choice.ts';
import {
  type Notification,
  type NotificationMessage,
  notificationId,
} from '../../core/triggers/notification.ts';
import { isRefusal, refusal, type Sender } from '../../core/triggers/sender.ts';
import { templateChannels } from '../../core/triggers/template-files.ts';
import { defaultFrom, linksOf, renderedWith, withoutTokens } from './message.ts';
import type { NotifyPorts, Work } from './ports.ts';

/** A send counts as interrupted after this time, which is longer than the function's timeout. */
const INTERRUPTED_AFTER_MS = 60_000;

/** A send ends within seconds, which is sooner than the queue delivers a message again. */
const WAITS_MS = [250, 500, 1000, 2000];

/**
 * Sends one reserved notification and records the result. Marketing is sent at most once, everything else at least once.
 * Waits some seconds for another delivery of the same message that is sending it, then throws `HubError` `write-conflict`.
 */
export const notify =
  (ports: NotifyPorts) =>
  async (message: NotificationMessage): Promise<void> => {
    for (const wait of WAITS_MS)
      try {
        return await notifyOnce(ports, message);
      } catch (error) {
        if (!(error instanceof ConcurrentDelivery)) throw error;
        await ports.sleep(wait);
      }
    return notifyOnce(ports, message);
  };

const notifyOnce = async (ports: NotifyPorts, message: NotificationMessage): Promise<void> => {
  const present = await ports.notifications.get(message);
  if (present === undefined) return;
  const replayed = present.status === 'failed' && (message.replay ?? 0) > (present.replays ?? 0);
  // The bus may have refused the event at an earlier delivery.
  if (present.status === 'failed' && !replayed) return ports.publishEvent('notification.failed', present);
  if (!replayed && !['reserved', 'sending', 'sent'].includes(present.status)) return;
  if (present.status === 'sending') expectInterrupted(present, ports.now());
  if (present.status === 'sending' && present.category === 'marketing')
    return fail(ports, present, uncertainSend());
  const current = await ports.triggers.current(present.trigger);
  const work = await loadWork(ports, present);
  if (work === undefined) return;
  if (present.status === 'sent') return recordSent(ports, present, work);
  if (current?.paused === true) {
    await save(ports, { ...present, status: 'suppressed', reason: 'paused', at: instant(ports.now()) });
    return;
  }
  let next: Notification | undefined = replayed
    ? await restartFailed(ports, present, work, message.replay)
    : present;
  while (next) next = await attempt(ports, next, work);
};

/** Another delivery of the message may still be sending it, or has changed its row. */
class ConcurrentDelivery extends HubError {
  constructor() {
    super(
      'write-conflict',
      'Another delivery of this message is being processed. The message is retried automatically.',
      { retry: 'later' },
    );
  }
}

/** Throws `ConcurrentDelivery` while another delivery of the same message may still be sending. */
const expectInterrupted = ({ until }: Notification, now: number): void => {
  if (until !== undefined && Date.parse(until) > now) throw new ConcurrentDelivery();
};

const uncertainSend = (cause?: unknown): HubError =>
  new HubError(
    'uncertain-send',
    'The sender did not confirm this message, so it may or may not be sent. Marketing is sent at most once, so it is not retried.',
    { retry: 'never', cause },
  );

/** Undefined if the customer was erased meanwhile. */
const loadWork = async (ports: NotifyPorts, notification: Notification): Promise<Work | undefined> => {
  const { profileId, occurredAt, interaction, trigger, triggerVersion } = notification;
  const [version, customer, cause, hub] = await Promise.all([
    ports.triggers.version(trigger, triggerVersion),
    ports.history.customer(profileId),
    ports.history.interaction({ profileId, occurredAt, id: interaction }),
    ports.hub(),
  ]);
  if (customer === undefined || cause === undefined) return undefined;
  if (version) {
    const recipient = version.trigger.anyone ? await ports.guests.ownerFor(customer, cause) : customer;
    return { version, customer: recipient, cause, hub };
  }
  throw new HubError(
    'unknown-trigger',
    `Version ${triggerVersion} of the trigger ${trigger} is not stored. Publish the trigger again; the message is retried automatically.`,
    {
      retry: 'later',
    },
  );
};

/** Sends through the chosen channel. Resolves to the notification with its next channel if the sender refused it. */
const attempt = async (
  ports: NotifyPorts,
  present: Notification,
  work: Work,
): Promise<Notification | undefined> => {
  const sending = await save(ports, {
    ...present,
    status: 'sending',
    at: instant(ports.now()),
    until: instant(ports.now() + INTERRUPTED_AFTER_MS),
  });
  let externalIds: Record<Identifier, string>;
  try {
    externalIds = await send(ports, sending, work);
  } catch (error) {
    return handleSendError(ports, sending, work, error);
  }
  const { until: _, ...rest } = sending;
  const sent = await save(ports, { ...rest, status: 'sent', at: instant(ports.now()), externalIds });
  await recordSent(ports, sent, work);
  return undefined;
};

/** After an error: takes the next channel, stores a failure, or throws for the queue's retry. */
const handleSendError = async (
  ports: NotifyPorts,
  sending: Notification,
  work: Work,
  error: unknown,
): Promise<Notification | undefined> => {
  if (isRefusal(error) && error.retry === 'never') return tryNextChannel(ports, sending, work, error);
  if (error instanceof HubError && error.retry === 'never') return fail(ports, sending, error);
  // After any other error a message that may be sent twice stays `sending` until the send counts as interrupted.
  if (!isRefusal(error) && sending.category === 'marketing')
    return fail(ports, sending, uncertainSend(error));
  if (isRefusal(error)) await save(ports, { ...sending, status: 'reserved' });
  throw error;
};

/** The provider's message ids by address. A refusal for one member of a team does not stop the others. */
const send = async (
  ports: NotifyPorts,
  sending: Notification,
  work: Work,
): Promise<Record<Identifier, string>> => {
  const { channel = 'email', addresses = [], category } = sending;
  const sender = senderOf(ports, channel, work);
  const links = await linksOf(ports, sending, work);
  const { unsubscribe } = links;
  const outgoing = {
    ...{ channel, category, from: defaultFrom(work.hub), ...renderedWith(links, sending, work) },
    ...(category === 'marketing' && unsubscribe !== undefined && { unsubscribe }),
  };
  const externalIds: Record<Identifier, string> = {};
  let refused: unknown;
  for (const [position, address] of addresses.entries()) {
    const id = position === 0 ? notificationId(sending) : `${notificationId(sending)}.${position}`;
    try {
      externalIds[address] = await sender.send({ ...outgoing, id, to: identifierValue(address) });
    } catch (error) {
      if (!isRefusal(error) || error.retry !== 'never') throw error;
      refused ??= error;
    }
  }
  if (Object.keys(externalIds).length === 0 && refused !== undefined) throw refused;
  return externalIds;
};

const senderOf = (ports: NotifyPorts, channel: Channel, { hub }: Work): Sender => {
  const sender = ports.sender(hub.senders[channel] ?? '');
  if (sender) return sender;
  throw refusal(
    `hub.yaml has no sender for the channel ${channel}. Add one under \`senders\`, or remove the channel from the trigger.`,
    { retry: 'never' },
  );
};

/** Chooses a channel by the present consent and addresses, and appends what was considered to `steps`. */
const chooseAgain = async (
  ports: NotifyPorts,
  { version: { trigger, templates }, customer, cause, hub }: Work,
  template: string,
  steps: Notification['steps'],
  refused: readonly Channel[] = [],
): Promise<ChosenOrReason> =>
  chooseChannel(
    {
      ...{ trigger, hub, customer, now: ports.now() },
      ...(await ports.addresses(trigger, customer, cause)),
      templates: { [template]: templateChannels(templates[template] ?? {}) },
    },
    template,
    (step, result) => steps.push({ step, result }),
    refused,
  );

/** The next channel of the list after a permanent refusal, if there is one. The reservation stays the same. */
const tryNextChannel = async (
  ports: NotifyPorts,
  sending: Notification,
  work: Work,
  error: HubError,
): Promise<Notification | undefined> => {
  const { channel = 'email', template = '' } = sending;
  const refused = [...(sending.refused ?? []), channel];
  const steps = [...sending.steps, { step: `send by ${channel}`, result: error.message }];
  const choice: ChosenOrReason = work.version.trigger.send.to
    ? { reason: 'no-address', channel }
    : await chooseAgain(ports, work, template, steps, refused);
  if ('reason' in choice) return fail(ports, { ...sending, refused, steps }, error);
  const { approved: _, causeOnly: _causeOnly, ...rest } = sending;
  return {
    ...rest,
    ...{ channel: choice.channel, addresses: [...choice.addresses], refused, steps },
    ...(choice.approved && { approved: true }),
    ...(choice.causeOnly && { causeOnly: true }),
  };
};

/** Prepares a failed notification for its replay: chooses the channel again, by the present consent and addresses. */
const restartFailed = async (
  ports: NotifyPorts,
  failed: Notification,
  work: Work,
  replays: number | undefined,
): Promise<Notification | undefined> => {
  const { template = '' } = failed;
  const { approved: _, refused: __, reason: ___, causeOnly: _causeOnly, ...rest } = failed;
  const steps = [...failed.steps, { step: 'replay', result: `number ${replays}` }];
  const base = { ...rest, replays, steps, at: instant(ports.now()) };
  if (work.version.trigger.send.to) return save(ports, { ...base, status: 'reserved' });
  const choice = await chooseAgain(ports, work, template, steps);
  if ('reason' in choice) {
    await save(ports, { ...base, status: 'suppressed', reason: choice.reason });
    return undefined;
  }
  const { channel, addresses, approved, causeOnly } = choice;
  return save(ports, {
    ...{ ...base, status: 'reserved', channel, addresses: [...addresses] },
    ...(approved && { approved: true }),
    ...(causeOnly && { causeOnly: true }),
  });
};

/** Records each sent message as an interaction and publishes the event. Idempotent: the keys are the same each time. */
const recordSent = async (ports: NotifyPorts, sent: Notification, work: Work): Promise<void> => {
  const { channel = 'email', externalIds = {}, trigger, triggerVersion, category, template = '', at } = sent;
  const { provider } = senderOf(ports, channel, work);
  const rendered = renderedWith(withoutTokens(await linksOf(ports, sent, work)), sent, work);
  const isToTeam = work.version.trigger.send.to !== undefined;
  for (const [position, [address, externalId]] of Object.entries(externalIds).entries()) {
    const id = position === 0 ? notificationId(sent) : `${notificationId(sent)}.${position}`;
    await ports.record({
      type: 'interaction',
      receivedAt: at,
      causedBy: sent.profileId,
      interaction: {
        ...{ key: id, provider, externalId, kind: 'notification', channel, direction: 'outbound' },
        occurredAt: at,
        // The address of a colleague belongs to no customer.
        identifiers: isToTeam ? [] : [address],
        text: rendered.text,
        ...(rendered.subject !== undefined && { subject: rendered.subject }),
        properties: {
          ...{ status: 'sent', trigger, version: triggerVersion, category, template },
          ...{ notification: id, cause: sent.interaction },
          ...(isToTeam && { team: work.version.trigger.send.to?.team ?? '' }),
        },
      },
    });
  }
  await ports.publishEvent('notification.sent', sent);
};

const fail = async (ports: NotifyPorts, notification: Notification, error: HubError): Promise<undefined> => {
  await ports.saveFailure(error);
  const { until: _, ...rest } = notification;
  const failed = await save(ports, {
    ...rest,
    status: 'failed',
    reason: error.code,
    at: instant(ports.now()),
    steps: [...notification.steps, { step: 'send', result: error.message }],
  });
  await ports.publishEvent('notification.failed', failed);
};

/** Resolves to the saved row. Throws `ConcurrentDelivery` if another delivery of the message has changed it. */
const save = async (ports: NotifyPorts, notification: Notification): Promise<Notification> => {
  if (!(await ports.notifications.save(notification))) throw new ConcurrentDelivery();
  return { ...notification, version: notification.version + 1 };
};
