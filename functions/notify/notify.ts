import { type Customer, nameParts } from '../../core/customer.ts';
import { HubError } from '../../core/errors.ts';
import type { HubConfig } from '../../core/hub-config.ts';
import { identifierValue } from '../../core/identifier.ts';
import { instant } from '../../core/interaction.ts';
import type { Notification, NotificationMessage } from '../../core/notification.ts';
import type { Outgoing, Sender } from '../../core/sender.ts';
import { type Rendered, render } from '../../core/template.ts';
import type { Failure } from '../aws/failures.ts';
import type { Notifications } from '../aws/notifications.ts';
import type { Triggers } from '../aws/triggers.ts';
import type { History, StoredInteraction } from '../ports.ts';
import type { InteractionMessage } from '../record/message.ts';

export interface NotifyPorts {
  readonly notifications: Notifications;
  readonly triggers: Triggers;
  readonly history: History;
  readonly hub: () => Promise<HubConfig>;
  readonly sender: (id: string) => Sender | undefined;
  /** A link by which this customer ends messages of this channel; undefined where the hub cannot sign one. */
  readonly unsubscribeLink: (customer: Customer, channel: string) => Promise<string | undefined>;
  readonly record: (message: InteractionMessage) => Promise<void>;
  readonly tell: (
    type: 'notification.sent' | 'notification.failed',
    notification: Notification,
  ) => Promise<void>;
  readonly keepFailure: (failure: Failure) => Promise<void>;
  readonly now: () => number;
}

/** Sends one claimed notification and records what came of it. Marketing at most once, everything else at least once. */
export const notify =
  (ports: NotifyPorts) =>
  async (message: NotificationMessage): Promise<void> => {
    const present = await ports.notifications.get(message);
    if (
      present === undefined ||
      present.status === 'sent' ||
      present.status === 'failed' ||
      present.status === 'suppressed'
    )
      return;
    if (present.status === 'sending' && present.category === 'marketing') {
      // The send was begun and its end is unknown: sending again could be the second time.
      return fail(
        ports,
        present,
        new HubError(
          'send-in-doubt',
          'The function stopped while it sent this. Marketing is sent at most once, so it is not sent again.',
          { retry: 'never' },
        ),
      );
    }
    const customer = await ports.history.customer(present.half);
    const cause = await ports.history.interaction({
      half: present.half,
      occurredAt: present.occurredAt,
      id: present.interaction,
    });
    if (customer === undefined || cause === undefined) {
      await ports.notifications.save({
        ...present,
        status: 'suppressed',
        reason: 'erased',
        at: instant(ports.now()),
      });
      return;
    }
    const sending: Notification = { ...present, status: 'sending', at: instant(ports.now()) };
    if (!(await ports.notifications.save(sending)))
      throw new HubError('crowded', 'Another delivery of the same message is at work.', { retry: 'later' });
    const begun = { ...sending, version: sending.version + 1 };
    try {
      await send(ports, begun, customer, cause);
    } catch (error) {
      const known =
        error instanceof HubError
          ? error
          : new HubError('send-failed', 'The message could not be sent.', { retry: 'later', cause: error });
      if (known.retry === 'never') return fail(ports, begun, known);
      await ports.notifications.save({ ...begun, status: 'claimed' });
      throw known;
    }
  };

const send = async (
  ports: NotifyPorts,
  begun: Notification,
  customer: Customer,
  cause: StoredInteraction,
): Promise<void> => {
  const { channel, template = '', addresses = [] } = begun;
  const hub = await ports.hub();
  const sender = channel && ports.sender(hub.senders[channel] ?? '');
  if (channel === undefined || sender === undefined) {
    throw new HubError(
      'no-sender',
      `hub.yaml names no sender for the channel ${channel}. Add one under \`senders\`, or take the channel out of the trigger ${begun.trigger}.`,
      { retry: 'never' },
    );
  }
  const version = await ports.triggers.version(begun.trigger, begun.triggerVersion);
  const unsubscribe =
    begun.category === 'marketing' ? await ports.unsubscribeLink(customer, channel) : undefined;
  const variables = {
    customer: {
      id: customer.id,
      name: nameParts(customer.name),
      language: customer.language ?? '',
      timeZone: customer.timeZone ?? hub.timeZone,
      stage: customer.stage ?? '',
      tags: customer.tags,
      traits: customer.traits,
    },
    interaction: {
      ...cause,
      text: cause.text ?? '',
      subject: cause.subject ?? '',
      properties: cause.properties ?? {},
    },
    trigger: { id: begun.trigger },
    links: { unsubscribe: unsubscribe ?? '' },
  };
  const files = version?.templates[template] ?? {};
  const rendered = render(template, files, channel, variables, files['whatsapp.yaml'] !== undefined);
  for (const [position, address] of addresses.entries()) {
    const id = `${begun.trigger}.${begun.interaction}.${position}`;
    const externalId = await sender.send(
      outgoing(id, begun, identifierValue(address), rendered, unsubscribe),
    );
    await ports.record(recorded(id, begun, sender, address, rendered, externalId, ports.now()));
  }
  const sent: Notification = { ...begun, status: 'sent', at: instant(ports.now()) };
  await ports.notifications.save(sent);
  await ports.tell('notification.sent', sent);
};

const outgoing = (
  id: string,
  begun: Notification,
  to: string,
  rendered: Rendered,
  unsubscribe: string | undefined,
): Outgoing => ({
  id,
  channel: begun.channel ?? 'email',
  category: begun.category,
  to,
  ...rendered,
  ...(unsubscribe !== undefined && { unsubscribe }),
});

/** What we sent is an interaction too. */
const recorded = (
  id: string,
  begun: Notification,
  sender: Sender,
  address: string,
  rendered: Rendered,
  externalId: string,
  now: number,
): InteractionMessage => ({
  type: 'interaction',
  receivedAt: instant(now),
  interaction: {
    key: id,
    provider: sender.provider,
    externalId,
    kind: 'notification',
    channel: begun.channel ?? 'email',
    direction: 'outbound',
    occurredAt: instant(now),
    identifiers: [address],
    text: rendered.text,
    ...(rendered.subject !== undefined && { subject: rendered.subject }),
    properties: {
      status: 'sent',
      trigger: begun.trigger,
      version: begun.triggerVersion,
      category: begun.category,
      template: begun.template ?? '',
      cause: begun.interaction,
    },
  },
});

const fail = async (ports: NotifyPorts, notification: Notification, error: HubError): Promise<void> => {
  const failed: Notification = {
    ...notification,
    status: 'failed',
    reason: error.code,
    at: instant(ports.now()),
    steps: [...notification.steps, { step: 'send', result: error.message }],
  };
  await ports.keepFailure({
    id: `notify.${notification.trigger}.${notification.interaction}`,
    stage: 'notify',
    error,
    payload: JSON.stringify({
      half: notification.half,
      trigger: notification.trigger,
      interaction: notification.interaction,
    }),
  });
  await ports.notifications.save(failed);
  await ports.tell('notification.failed', failed);
};
