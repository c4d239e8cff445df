import type { Batch, MetricsPorts } from '../metrics/metrics.ts';
import { history } from './history.ts';
import * as rows from './rows.ts';
import type { Table } from './table.ts';

/** Reads what a batch of messages is about: a read for the interactions, and one for the people with all their halves. */
export const loadBatch =
  (table: Table): MetricsPorts['load'] =>
  async (messages): Promise<Batch> => {
    const addresses = messages.flatMap((message) =>
      message.event === 'interaction.recorded' ? [{ ...message, id: message.interaction }] : [],
    );
    const [found, customers] = await Promise.all([
      table.get(addresses.map(rows.interactionKey)),
      history(table).customers([...new Set(messages.map(({ half }) => half))]),
    ]);
    return {
      customers,
      interactions: found.map(rows.interactionOf).filter(({ half }) => customers.has(half)),
      unsent: messages.flatMap((message) =>
        'trigger' in message && customers.has(message.half) ? [message] : [],
      ),
    };
  };
