import * as rows from '../../contracts/rows.ts';
import type { Batch, ProjectionPorts } from '../../projections/projections.ts';
import type { Table } from '../clients/dynamo.ts';
import { history } from './history.ts';

/** Reads what a batch of messages is about: the interactions, and of the people, with all their halves, those who have moved. */
export const loadBatch =
  (table: Table): ProjectionPorts['load'] =>
  async (messages): Promise<Batch> => {
    const addresses = messages.flatMap((message) =>
      message.event === 'interaction.recorded' ? [{ ...message, id: message.interaction }] : [],
    );
    const interactions = (await table.get(addresses.map(rows.interactionKey))).map(rows.interactionOf);
    const moved = interactions.filter(({ caused }) => caused?.moved === true);
    const changed = messages.filter(
      (message) => message.event !== 'interaction.recorded' && !('trigger' in message),
    );
    return {
      interactions,
      customers: await history(table).customers([
        ...new Set([...moved, ...changed].map(({ profileId }) => profileId)),
      ]),
      unsent: messages.flatMap((message) => ('trigger' in message ? [message] : [])),
    };
  };
