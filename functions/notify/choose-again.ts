import type { HubError } from '../../core/errors.ts';
import { type Channel, instant } from '../../core/interaction/interaction.ts';
import { type Chosen, type ChosenOrReason, chooseChannel } from '../../core/triggers/channel-choice.ts';
import { checkRecorder } from '../../core/triggers/checks.ts';
import { quietUntil, sendDeadline } from '../../core/triggers/decision.ts';
import type { Notification, NotificationMessage } from '../../core/triggers/notification.ts';
import { templateChannels } from '../../core/triggers/template-files.ts';
import type { Held, NotifyPorts, Work } from './ports.ts';
import { fail, save, suppress } from './stored.ts';

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
      templates: {
        [template]: templateChannels(templates[template] ?? {}, {
          customer: customer.language,
          hub: hub.language,
        }),
      },
    },
    template,
    checkRecorder(steps),
    refused,
  );

/** The next channel of the list after a permanent refusal, if there is one. The reservation stays the same. */
export const tryNextChannel = async (
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
  return withChoice({ ...sending, refused, steps }, choice);
};

/** Prepares a failed notification for its replay: chooses the channel again, by the present consent and addresses. */
export const restartFailed = async (
  ports: NotifyPorts,
  failed: Notification,
  work: Work,
  replays: number | undefined,
): Promise<Notification | undefined> => {
  const { template = '' } = failed;
  const { refused: _, reason: __, sender: ___, refusedBy: ____, ...rest } = failed;
  const steps = [...failed.steps, { step: 'replay', result: `number ${replays}` }];
  const base = { ...rest, replays, steps, at: instant(ports.now()) };
  if (work.version.trigger.send.to) return save(ports, { ...base, status: 'reserved' });
  const choice = await chooseAgain(ports, work, template, steps);
  if ('reason' in choice) {
    return suppress(ports, base, choice.reason);
  }
  return save(ports, withChoice({ ...base, status: 'reserved' }, choice));
};

/**
 * Checks again what may have changed while a notification waited for its sender: whether it is too late, or quiet hours.
 * After a long wait the channel is chosen again as well, by the present consent and addresses.
 */
export const resumeDeferred = async (
  ports: NotifyPorts,
  present: Notification,
  work: Work,
  { notBefore }: NotificationMessage,
): Promise<Notification | Held | undefined> => {
  if (notBefore === undefined && present.until === undefined) return present;
  const { hub, customer } = work;
  const { trigger } = work.version;
  const now = ports.now();
  if (present.status !== 'reserved') return present;
  const { until, ...rest } = present;
  const deadline = sendDeadline({ trigger, arrivedAt: Date.parse(present.dueAt ?? present.arrivedAt) });
  if (now > deadline) return suppress(ports, rest, 'expired');
  const free = quietUntil({ trigger, hub, now, customer });
  if (free > now)
    return free > deadline ? suppress(ports, rest, 'expired') : { sender: undefined, quietUntil: free };
  if (until === undefined || trigger.send.to) return present;
  const steps = [...present.steps];
  const choice = await chooseAgain(ports, work, present.template ?? '', steps);
  if ('reason' in choice) return suppress(ports, { ...rest, steps }, choice.reason);
  return withChoice({ ...rest, steps }, choice);
};

/** A notification with the channel that was chosen for it. */
const withChoice = (
  { approved: _, causeOnly: __, sender: ___, refusedBy: ____, ...notification }: Notification,
  { channel, addresses, approved, causeOnly }: Chosen,
): Notification => ({
  ...notification,
  ...{ channel, addresses: [...addresses] },
  ...(approved && { approved: true }),
  ...(causeOnly && { causeOnly: true }),
});
