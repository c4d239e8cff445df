import type { Customer } from '../../identity/customer.ts';
import { snapshotCustomer } from '../../interaction/customer-snapshot.ts';
import type { Instant } from '../../interaction/interaction.ts';
import { sha256Hex } from '../../webhooks/signature.ts';
import type { PastInteraction } from '../history-facts.ts';

/** The id of the event by which a customer enters: the same however often it is published, so that it has effect once. */
export const entryId = (trigger: string, occasion: string, customer: Customer['id']): string =>
  sha256Hex(JSON.stringify(['audience.entered', trigger, occasion, customer])).slice(0, 32);

/** What stands for the interaction of a trigger that none started: it carries no address, and is in no history. */
export const entryAsCause = (
  {
    id,
    profileId,
    occurredAt,
  }: { readonly id: string; readonly profileId: string; readonly occurredAt: Instant },
  customer: Customer,
): PastInteraction & { readonly profileId: string } => ({
  ...{ id, profileId, occurredAt, receivedAt: occurredAt },
  ...{ kind: 'system', channel: 'web', provider: 'tributary', direction: 'system', identifiers: [] },
  customer: snapshotCustomer(customer, profileId, false),
});
