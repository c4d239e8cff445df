import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { type Identifier, identifierValue } from '../../core/identity/identifier.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { entryAsCause } from '../../core/triggers/audience/entry.ts';
import {
  type Notification,
  type NotificationMessage,
  notificationId,
} from '../../core/triggers/notification.ts';
import { DeadAddress, isRefusal, NotNow, refusal, type Sender } from '../../core/triggers/sending/sender.ts';
import { sendingTrigger } from '../../core/triggers/series/sending-trigger.ts';
import { renderedWith } from '../aws/triggers/rendered.ts';
import { restartFailed, resumeDeferred, tryNextChannel } from './choose-again.ts';
import { recordDeadAddress } from './dead-address.ts';
import { defaultFrom, linksOf, tracked, withFile, withoutTokens } from './message.ts';
import type { Held, NotifyPorts, Work } from './ports.ts';
import { ConcurrentDelivery, fail, save, suppress } from './stored.ts';

/** A send counts as interrupted after this time, which is longer than the function's timeout. */
const INTERRUPTED_AFTER_MS = 60_000;

/** A send ends within seconds, which is sooner than the queue delivers a message again. */
const WAITS_MS = [250, 500, 1000, 2000];

/** So often a vendor may be unable to take one message, each time a quarter of an hour apart, before it counts as refused. */
const MAX_DEFERRALS = 100;

/**
 * Sends one reserved notification and records the result; `known`: its row, as it was read shortly before; `sender`: the one
 * of its channel that takes messages now, by default the first. Marketing is sent
 * at most once, everything else at least once. Resolves to why it has to wait, where its sender does not take it now: it is
 * reserved as before. Waits some seconds for another delivery of the same message that is sending it, then throws `HubError`
 * `write-conflict`.
 */
export const notify =
  (ports: NotifyPorts) =>
  async (message: NotificationMessage, known?: Notification, sender?: string): Promise<Held | undefined> => {
    let present = known;
    for (const wait of WAITS_MS)
      try {
        return await notifyOnce(ports, message, present, sender);
      } catch (error) {
        if (!(error instanceof ConcurrentDelivery)) throw error;
        present = undefined;
        await ports.sleep(wait);
      }
    return notifyOnce(ports, message, undefined, sender);
  };

const notifyOnce = async (
  ports: NotifyPorts,
  message: NotificationMessage,
  known: Notification | undefined,
  sender: string | undefined,
): Promise<Held | undefined> => {
  const present = known ?? (await ports.notifications.get(message));
  if (present === undefined) return;
  const replayed = present.status === 'failed' && (message.replay ?? 0) > (present.replays ?? 0);
  // The bus may have refused the event at an earlier delivery.
  if (present.status === 'failed' && !replayed) {
    await ports.publishEvent('notification.failed', present);
    return;
  }
  if (present.status === 'suppressed') {
    await ports.publishEvent('notification.suppressed', present);
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
    return suppress(ports, present, 'paused');
  }
  const start = replayed
    ? await restartFailed(ports, present, work, message.replay)
    : await resumeDeferred(ports, present, work, message);
  let next: Notification | Held | undefined =
    start && 'trigger' in start && start.status === 'reserved' && sender !== undefined
      ? { ...start, sender }
      : start;
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
  const { profileId, occurredAt, interaction, occasion, trigger, triggerVersion } = notification;
  const address = { profileId, occurredAt, id: interaction };
  const [version, customer, stored, hub] = await Promise.all([
    ports.triggers.version(trigger, triggerVersion),
    ports.history.customer(profileId),
    occasion === undefined ? ports.history.interaction(address) : undefined,
    ports.hub(),
  ]);
  if (customer === undefined) return undefined;
  const cause = occasion === undefined ? stored : entryAsCause(address, customer);
  if (cause === undefined) return undefined;
  if (version) {
    const recipient = version.trigger.anyone ? await ports.guests.ownerFor(customer, cause) : customer;
    const sending = sendingTrigger(version.trigger, notification.step);
    return { version: { ...version, trigger: sending }, customer: recipient, cause, hub };
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
    sender: senderOf(present, work.hub),
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
    const { until: _, sender, ...rest } = sending;
    await save(ports, { ...rest, status: 'reserved' });
    return { sender, by: error };
  }
  if (isRefusal(error))
    return tryNextSender(sending, work, error) ?? tryNextChannel(ports, sending, work, error);
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
  const sender = builtSender(ports, sending, work);
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
      if (error instanceof DeadAddress)
        await recordDeadAddress(ports, { id, channel, provider: sender.provider, address, error });
      refused ??= error;
    }
  }
  if (Object.keys(externalIds).length === 0 && refused !== undefined) throw refused;
  return externalIds;
};

/** The senders of a notification's channel that have not refused it, in the order of hub.yaml. */
export const sendersFor = (
  { channel = 'email', refusedBy = [] }: Notification,
  { senders }: HubConfig,
): readonly string[] => (senders[channel]?.use ?? []).filter((id) => !refusedBy.includes(id));

/** A send that was begun stays with its sender, which alone may know whether the message was sent. */
const senderOf = (notification: Notification, hub: HubConfig): string | undefined =>
  notification.sender ?? sendersFor(notification, hub)[0];

/** The same message through the next sender of its channel, after one has refused it: it is certainly not sent. */
const tryNextSender = (
  { sender, ...sending }: Notification,
  { hub }: Work,
  error: HubError,
): Notification | undefined => {
  const { refusedBy = [], steps } = sending;
  if (sender === undefined) return undefined;
  const passed = {
    ...{ ...sending, refusedBy: [...refusedBy, sender] },
    steps: [...steps, { step: `send by ${sender}`, result: error.message }],
  };
  return sendersFor(passed, hub).length === 0 ? undefined : passed;
};

const builtSender = (ports: NotifyPorts, notification: Notification, { hub }: Work): Sender => {
  const { channel = 'email' } = notification;
  const sender = ports.sender(senderOf(notification, hub) ?? '');
  if (sender) return sender;
  throw refusal(
    `hub.yaml has no sender for the channel ${channel}. Add one under \`senders\`, or remove the channel from the trigger.`,
  );
};

/** Records each sent message as an interaction and publishes the event. Idempotent: the keys are the same each time. */
const recordSent = async (ports: NotifyPorts, sent: Notification, work: Work): Promise<void> => {
  const { channel = 'email', externalIds = {}, trigger, triggerVersion, category, step, at } = sent;
  const { template = '' } = sent;
  const { provider } = builtSender(ports, sent, work);
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
          ...(step !== undefined && { step }),
          ...(isToTeam && { team: work.version.trigger.send.to?.team ?? '' }),
        },
      },
    });
  }
  await ports.publishEvent('notification.sent', sent);
};
