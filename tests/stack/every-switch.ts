import type * as z from 'zod';
import { providerIds } from '../../connectors/registry.ts';
import type { HubConfig } from '../../core/config/hub-config.ts';

/** A hub with every provider, every kind of CRM and every sender. */
export const everything: z.input<typeof HubConfig> = {
  channels: {
    ...Object.fromEntries(providerIds.map((id) => [id, {}])),
    salesforce: { eventBus: 'aws.partner/salesforce.com/00D000000000001/0YL000000000001' },
  },
  crms: { salesforce: {}, hubspot: {}, servicenow: {}, erp: { connector: 'http' } },
};
