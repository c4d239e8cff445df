import { HubConfig } from '../../../core/config/hub-config.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { notifications } from '../../../functions/aws/triggers/notifications.ts';
import {
  activityKey,
  interactionKey,
  notificationKey,
  profileKey,
} from '../../../functions/contracts/keys.ts';
import type { SendingQuota } from '../../../infra/local/ses/quota.ts';
import { NOW, openTestHub } from '../open-test-hub.ts';
import { person } from './situations.ts';

const WRITES_PER_TRANSACTION = 50;

const trigger = {
  ...{ id: 'news', name: 'News', category: 'service', on: { kind: ['message'] } },
  send: { channels: ['email'], template: 'news' },
};

/**
 * A hub in which so many e-mails were decided and are put on the queue at the same instant, as at the end of quiet hours.
 * Only `notify` runs. All are of one customer, each for an interaction of its own.
 */
export const openDeferredSends = async (count: number, quota: SendingQuota) => {
  const requests = new Map<string, number>();
  const hub = await openTestHub({
    ...{ triggers: [trigger], connectCrms: false, mailQuota: quota },
    around: async (invoke, target, event) => {
      if (/notify/iu.test(target.name) || /failures/iu.test(target.name) || /api/iu.test(target.name))
        return invoke(target, event);
      return { batchItemFailures: [] };
    },
    before(service, operation, caller) {
      if (!/notify/iu.test(caller)) return;
      const key = `${service} ${operation}`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
    },
  });
  const occurredAt = instant(NOW);
  for (const { profile, activity } of person({ consent: { email: 'granted' } }).sourceProfiles)
    await hub.table.transact([
      { put: { ...profileKey(profile.id), ...profile } },
      { put: { ...activityKey(profile.id), ...activity } },
    ]);
  const customer = snapshotCustomer(person(), 'ada', false);
  const rows = Array.from({ length: count }, (_, at) => {
    const id = `cause${at}`;
    const cause = {
      ...{ id, kind: 'message', channel: 'email', provider: 'test', direction: 'inbound', occurredAt },
      ...{ identifiers: ['email:ada@example.com'], profileId: 'ada', receivedAt: occurredAt, customer },
    };
    const notification: Notification = {
      ...{ trigger: 'news', triggerVersion: 1, category: 'service', profileId: 'ada', interaction: id },
      ...{ occurredAt, arrivedAt: occurredAt, version: 1, status: 'reserved', at: occurredAt, timers: 1 },
      ...{ channel: 'email', addresses: ['email:ada@example.com'], template: 'news', steps: [] },
    };
    return [
      { put: { ...interactionKey(cause), ...cause } },
      { put: { ...notificationKey(notification), ...notification } },
    ];
  }).flat();
  for (let at = 0; at < rows.length; at += WRITES_PER_TRANSACTION)
    await hub.table.transact(rows.slice(at, at + WRITES_PER_TRANSACTION));
  const send = (at: number): void =>
    hub.send(/^NotificationsQueue/, { profileId: 'ada', trigger: 'news', interaction: `cause${at}` });
  for (let at = 0; at < count; at++) send(at);
  const stored = notifications(hub.table, async () => HubConfig.parse({}), hub.runtime.now);
  return {
    ...{ hub, requests },
    /** When each e-mail was sent, in milliseconds since the beginning, by its notification. */
    sent(): ReadonlyMap<string, readonly number[]> {
      const found = new Map<string, number[]>();
      for (const { at, tags = {} } of hub.cloud.sentMessages.list()) {
        const id = tags['notification'] ?? '';
        found.set(id, [...(found.get(id) ?? []), Date.parse(at) - NOW]);
      }
      return found;
    },
    /** The row of a notification. */
    row: (at: number) => stored.get({ profileId: 'ada', trigger: 'news', interaction: `cause${at}` }),
  };
};

/** How many e-mails were sent in each second since the beginning. */
export const bySecond = (sent: ReadonlyMap<string, readonly number[]>): number[] => {
  const counts: number[] = [];
  for (const at of [...sent.values()].flat()) {
    const second = Math.floor(at / 1000);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
};
