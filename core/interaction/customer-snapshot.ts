import * as z from 'zod';
import { ConsentStatus } from '../consent/consent.ts';
import { JsonObject } from '../formats/json.ts';
import type { Customer } from '../identity/customer.ts';
import { identifierType } from '../identity/identifier.ts';
import { Preferences } from '../identity/profile.ts';
import { Channel, Instant, PersonName } from './interaction.ts';

/** The customer in an event's `detail.customer`, which the `customer` patterns of triggers are matched against. */
export const CustomerSnapshot = z.strictObject({
  id: z.string(),
  /** The source profile that the interaction of this event went to. */
  profileId: z.string(),
  /** The types of the identifiers, never their values. */
  identifiers: z.array(z.string()),
  name: PersonName.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()),
  traits: JsonObject,
  consent: z.partialRecord(Channel, ConsentStatus),
  preferences: Preferences,
  firstSeenAt: Instant,
  lastSeenAt: Instant,
  isNew: z.boolean(),
  /** Set where claims alone name the customer. */
  guest: z.literal(true).optional(),
});
export type CustomerSnapshot = z.infer<typeof CustomerSnapshot>;

/** `isNew`: the event's interaction made this customer. */
export const snapshotCustomer = (
  customer: Customer,
  profileId: string,
  isNew: boolean,
): CustomerSnapshot => ({
  id: customer.id,
  profileId,
  identifiers: [...new Set((customer.guest ? customer.claimed : customer.identifiers).map(identifierType))],
  ...(customer.name && { name: customer.name }),
  ...(customer.language !== undefined && { language: customer.language }),
  ...(customer.timeZone !== undefined && { timeZone: customer.timeZone }),
  ...(customer.stage !== undefined && { stage: customer.stage }),
  tags: [...customer.tags],
  traits: customer.traits,
  consent: Object.fromEntries(
    Channel.options.flatMap((channel) => {
      const entry = customer.consent[channel];
      return entry === undefined ? [] : [[channel, entry.status]];
    }),
  ),
  preferences: customer.preferences.channel === undefined ? {} : { channel: customer.preferences.channel },
  firstSeenAt: customer.firstSeenAt,
  lastSeenAt: customer.lastSeenAt,
  isNew,
  ...(customer.guest && { guest: true }),
});
