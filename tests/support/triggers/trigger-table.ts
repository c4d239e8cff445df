import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { templateFaults } from '../../../core/triggers/message/faults.ts';
import type { DecisionMessage } from '../../../core/triggers/notification.ts';
import { stubTemplate, type TemplateFiles } from '../../../core/triggers/template-files.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { addressReader } from '../../../functions/aws/customers/addresses.ts';
import { guests } from '../../../functions/aws/customers/guests.ts';
import { history } from '../../../functions/aws/customers/history.ts';
import { notifications } from '../../../functions/aws/triggers/notifications.ts';
import type { PublishPorts } from '../../../functions/aws/triggers/publish.ts';
import { triggers } from '../../../functions/aws/triggers/triggers.ts';
import { activityKey, interactionKey, profileKey } from '../../../functions/contracts/keys.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { openTestTable } from '../open-test-table.ts';
import { iso, NOON, person } from './situations.ts';

/** A table and a bus with what publishing, deciding and notifying use, at noon. */
export const openTriggerTable = async () => {
  const { clock, runtime, rows, takeSpent } = await openTestTable();
  await clock.runUntil(NOON);
  const bus = new EventBridgeClient(clientConfig(runtime));
  await bus.send(new CreateEventBusCommand({ Name: 'bus' }));
  const publishing: PublishPorts = {
    events: bus,
    table: rows,
    triggers: triggers(rows),
    hub: async () => HubConfig.parse({}),
    bus: 'bus',
    decisionsQueue: 'arn:aws:sqs:eu-south-1:123456789012:decisions',
    deadQueue: 'arn:aws:sqs:eu-south-1:123456789012:dead',
    templateFaults,
    now: runtime.now,
  };
  return {
    ...{ clock, runtime, rows, takeSpent, bus, publishing },
    triggers: triggers(rows),
    notifications: notifications(rows, async () => HubConfig.parse({}), runtime.now),
    history: history(rows),
    guests: guests(rows, async () => IdentityConfig.parse({})),
    addresses: addressReader(rows, async () => IdentityConfig.parse({})),
    hub: async () => HubConfig.parse({}),
    /** Stores the source profiles of a customer, by default of Ada. */
    async putPerson(fields: Parameters<typeof person>[0] = {}): Promise<void> {
      for (const { profile, activity } of person(fields).sourceProfiles) {
        await rows.put({ ...profileKey(profile.id), ...profile });
        await rows.put({ ...activityKey(profile.id), ...activity });
      }
    },
    /** Stores an interaction of Ada's that occurs now. */
    async putInteraction(id: string, fields: Partial<Interaction> = {}): Promise<StoredInteraction> {
      const at = iso(clock.now());
      const stored: StoredInteraction = {
        ...{ id, kind: 'message', channel: 'email', provider: 'test', direction: 'inbound' },
        ...{ occurredAt: at, identifiers: ['email:ada@example.com'], ...fields },
        ...{ profileId: 'ada', receivedAt: at, customer: snapshotCustomer(person(), 'ada', false) },
      };
      await rows.put({ ...interactionKey(stored), ...stored });
      return stored;
    },
  };
};

export type TriggerTable = Awaited<ReturnType<typeof openTriggerTable>>;

export const templates: Readonly<Record<string, TemplateFiles>> = {
  hello: stubTemplate('hello'),
  other: stubTemplate('other'),
};

/** The message that the rule of a trigger puts on the decisions queue for an interaction. */
export const decisionAbout = (cause: StoredInteraction, trigger = 'hello', version = 1): DecisionMessage => ({
  ...{ trigger, version, profileId: cause.profileId, interaction: cause.id },
  ...{ occurredAt: cause.occurredAt, arrivedAt: cause.receivedAt },
});
