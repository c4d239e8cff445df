import { interactionKey } from '../../contracts/keys.ts';
import type { Batch, LoadBatch } from '../../contracts/ports/projections.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import type { Table } from '../clients/dynamo.ts';
import { history } from './history.ts';

/** Reads what a batch of messages names: the interactions, and the customers whose entries in lists may have changed. */
export const loadBatch =
  (table: Table): LoadBatch =>
  async (messages): Promise<Batch> => {
    const addresses = messages.flatMap((message) =>
      message.event === 'interaction.recorded' ? [{ ...message, id: message.interaction }] : [],
    );
    const interactions = (await table.get(addresses.map(interactionKey))).map(interactionOf);
    const moved = interactions.filter(({ caused }) => caused?.moved === true);
    const changed = messages.filter(
      (message) => message.event !== 'interaction.recorded' && !('trigger' in message),
    );
    return {
      interactions,
      customers: await history(table).customers([
        ...new Set([...moved, ...changed].map(({ profileId }) => profileId)),
      ]),
      notifications: messages.flatMap((message) => ('trigger' in message ? [message] : [])),
    };
  };
