import { snapshot } from '../../core/identity/customer.ts';
import type { People } from '../../core/identity/people.ts';
import type { Placement } from '../../core/identity/resolution.ts';
import type { StoredInteraction } from '../contracts/ports/history.ts';
import type { InteractionWork } from '../contracts/work.ts';

export interface StoredInteractionChange {
  readonly stored: StoredInteraction;
  readonly placement: Placement;
}

export const storedChange = (
  people: People,
  { interaction, receivedAt }: Pick<InteractionWork, 'interaction' | 'receivedAt'>,
  placement: Placement,
): StoredInteractionChange | undefined => {
  const { profileId } = placement;
  if (profileId === undefined) return undefined;
  const customer = snapshot(people.customer(profileId), profileId, placement.isNew);
  return { placement, stored: { ...interaction, profileId, receivedAt, customer } };
};
