import type { HubConfig } from '../../core/config/hub-config.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { readSeed, type Seed } from '../../infra/stack/seed.ts';
import type { SampleCounts, Samples } from './samples.ts';

/** What the hub must have after the samples; a number that only the mappings of the hub tell is left out. */
export type ExpectedCounts = Omit<SampleCounts, 'crm' | 'notifications' | 'suppressed'> &
  Partial<Pick<SampleCounts, 'crm' | 'notifications' | 'suppressed'>>;

/** Imported before the samples are sent. */
const IMPORTED_CUSTOMERS = 2;

/** The triggers that the numbers below were counted with, and the senders that they need. */
const TRIGGERS = [
  'cart-left',
  'opt-in-confirm',
  'order-received',
  'preference-link',
  'preference-link-sms',
  'unanswered-whatsapp',
  'welcome',
];
const SENDERS = { email: 'ses', sms: 'aws-sms', push: 'sns-push' };

/** Counted manually. The stranger on Messenger has no address, so that the shipped mappings make no contact. */
const SHIPPED = {
  crm: {
    salesforce: { Contact: 5, Task: 8 },
    hubspot: { contacts: 5, communications: 4, emails: 2, notes: 2 },
    servicenow: { customer_contact: 5, interaction: 8 },
  },
  notifications: { email: 1, sms: 1, push: 1 },
  suppressed: 2,
} as const;

/**
 * What the configuration that runs makes of the samples. Each webhook of a channel that is off is answered 404 and leaves
 * nothing. `sent`: how many notifications were sent, each of which is an interaction.
 */
export const expectedCounts = (
  { deliveries }: Samples,
  hub: HubConfig,
  sent: number,
  seed: Seed = readSeed(),
): ExpectedCounts => {
  const isOn = (provider: string): boolean => Object.hasOwn(hub.channels, provider);
  const accepted = deliveries.filter(({ provider, status }) => isOn(provider) && status === 200);
  return {
    deliveries: deliveries.length,
    refused: deliveries.filter(({ provider, status }) => isOn(provider) && status === 401).length,
    off: deliveries.filter(({ provider }) => !isOn(provider)).length,
    interactions: accepted.reduce((sum, { interactions }) => sum + interactions, sent),
    customers: IMPORTED_CUSTOMERS + new Set(accepted.flatMap(({ person }) => person ?? [])).size,
    failures: 0,
    ...(isShipped(hub, seed, deliveries) && SHIPPED),
  };
};

/** Whether the numbers that were counted are those of this configuration. */
const isShipped = (hub: HubConfig, { triggers }: Seed, deliveries: Samples['deliveries']): boolean =>
  process.env['HUB_MAPPINGS'] === undefined &&
  deliveries.every(({ provider }) => Object.hasOwn(hub.channels, provider)) &&
  Object.entries(SENDERS).every(([channel, sender]) => hub.senders[channel]?.use[0] === sender) &&
  String(triggers.map((one) => Trigger.parse(one).id).sort()) === String(TRIGGERS);
