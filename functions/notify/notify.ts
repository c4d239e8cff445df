import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { type Identifier, identifierValue } from '../../core/identity/identifier.ts';
import { type Channel, instant } from '../../core/interaction/interaction.ts';
import {
  type Notification,
  type NotificationMessage,
  notificationId,
} from '../../core/triggers/notification.ts';
import { isRefusal, NotNow, refusal, type Sender } from '../../core/triggers/sender.ts';
import { restartFailed, resumeDeferred, tryNextChannel } from './choose-again.ts';
import { defaultFrom, linksOf, renderedWith, tracked, withFile, withoutTokens } from './message.ts';
import type { Held, NotifyPorts, Work } from './ports.ts';
import { ConcurrentDelivery, fail, save } from './stored.ts';

/** A send counts as interrupted after this time, which is longer than the function's timeout. */
const INTERRUPTED_AFTER_MS = 60_000;

/** A send ends within seconds, which is sooner than the queue delivers a message again. */
const WAITS_MS = [250, 500, 1000, 2000];

/** So often a vendor may be unable to take one message, each time a quarter of an hour apart, before it counts as refused. */
const MAX_DEFERRALS = 100;

/**
 * Sends one reserved notification and records the result; `known`: its row, as it was read shortly before. Marketing is sent
 * at most once, everything else at least once. Resolves to why it has to wait, where its sender does not take it now: it is
 * reserved as before. Waits some seconds for another delivery of the same message that is sending it, then throws `HubError`
 * `write-conflict`.
 */
export const notify =
  (ports: NotifyPorts) =>
  async (message: NotificationMessage, known?: Notification): Promise<Held | undefined> => {
    let present = known;
    for (const wait of WAITS_MS)
      try {
        return await notifyOnce(ports, message, present);
      } catch (error) {
        if (!(error instanceof ConcurrentDelivery)) throw error;
        present = undefined;
        await ports.sleep(wait);
      }
    return notifyOnce(ports, message, undefined);
  };

const notifyOnce = async (
  ports: NotifyPorts,
  message: NotificationMessage,
  known: Notification | undefined,
): Promise<Held | undefined> => {
  const present = known ?? (await ports.notifications.get(message));
  if (present === undefined) return;
  const replayed = present.status === 'failed' && (message.replay ?? 0) > (present.replays ?? 0);
  // The bus may have refused the event at an earlier delivery.
  if (present.status === 'failed' && !replayed) {
    await ports.publishEvent('notification.failed', present);
    return;
  }
  if (!replayed && !['reserved', 'sending', 'sent'].includes(present.status)) return;
  if (present.status === 'sending') expectInterrupted(present, ports.now());
  if (present.status === 'sending' && present.category === 'marketing')
    return fail(ports, present, uncertainSend());
  const current = await ports.triggers.current(present.trigger);
  const work = await loadWork(ports, present);
  if (work === undefined) return;
  if (present.status === 'sent') {
    await recordSent(ports, present, work);
    return;
  }
  if (current?.paused === true) {
    await save(ports, { ...present, status: 'suppressed', reason: 'paused', at: instant(ports.now()) });
    return;
  }
  const start = replayed
    ? await restartFailed(ports, present, work, message.replay)
    : await resumeDeferred(ports, present, work, message);
  let next: Notification | Held | undefined = start;
  while (next && 'trigger' in next) next = await attempt(ports, next, work, message);
  return next;
};

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
  message: NotificationMessage,
): Promise<Notification | Held | undefined> => {
  const sending = await save(ports, {
    ...withFile(present, work),
    status: 'sending',
    at: instant(ports.now()),
    until: instant(ports.now() + INTERRUPTED_AFTER_MS),
  });
  let externalIds: Record<Identifier, string>;
  try {
    externalIds = await send(ports, sending, work);
  } catch (error) {
    return handleSendError(ports, sending, work, message, error);
  }
  const { until: _, ...rest } = sending;
  const sent = await save(ports, { ...rest, status: 'sent', at: instant(ports.now()), externalIds });
  await recordSent(ports, sent, work);
  return undefined;
};

/** After an error: takes the next channel, stores a failure, says why the message waits, or throws for the queue's retry. */
const handleSendError = async (
  ports: NotifyPorts,
  sending: Notification,
  work: Work,
  { deferrals = 0 }: NotificationMessage,
  error: unknown,
): Promise<Notification | Held | undefined> => {
  if (error instanceof NotNow && (deferrals < MAX_DEFERRALS || !/^(?:message|down)$/u.test(error.why))) {
    const { until: _, ...rest } = sending;
    await save(ports, { ...rest, status: 'reserved' });
    return { sender: senderIdOf(sending, work.hub), by: error };
  }
  if (isRefusal(error)) return tryNextChannel(ports, sending, work, error);
  if (error instanceof HubError && error.retry === 'never') return fail(ports, sending, error);
  // After any other error a message that may be sent twice stays `sending` until the send counts as interrupted.
  if (sending.category === 'marketing') return fail(ports, sending, uncertainSend(error));
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
  const { provider } = sender;
  const rendered = await tracked(ports, renderedWith(links, sending, work), links, sending, {
    provider,
    work,
  });
  const outgoing = {
    ...{ channel, category, from: defaultFrom(work.hub), ...rendered },
    ...(category === 'marketing' && unsubscribe !== undefined && { unsubscribe }),
  };
  const externalIds: Record<Identifier, string> = {};
  let refused: unknown;
  for (const [position, address] of addresses.entries()) {
    const id = position === 0 ? notificationId(sending) : `${notificationId(sending)}.${position}`;
    try {
      externalIds[address] = await sender.send({ ...outgoing, id, to: identifierValue(address) });
    } catch (error) {
      if (!isRefusal(error) || error instanceof NotNow) throw error;
      refused ??= error;
    }
  }
  if (Object.keys(externalIds).length === 0 && refused !== undefined) throw refused;
  return externalIds;
};

/** The id of the sender of a notification's channel; undefined where hub.yaml names none. */
export const senderIdOf = ({ channel = 'email' }: Notification, { senders }: HubConfig): string | undefined =>
  senders[channel]?.use;

const senderOf = (ports: NotifyPorts, channel: Channel, { hub }: Work): Sender => {
  const sender = ports.sender(hub.senders[channel]?.use ?? '');
  if (sender) return sender;
  throw refusal(
    `hub.yaml has no sender for the channel ${channel}. Add one under \`senders\`, or remove the channel from the trigger.`,
  );
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
