import { HubError } from '../../core/errors.ts';
import type { RecordPorts } from '../contracts/ports/record.ts';
import { identifiersOf, type Work } from '../contracts/work.ts';
import { commitGroup, type Outgoing } from './commit.ts';
import { grouped } from './grouping.ts';
import { findAheadOfMessage, findOutOfOrder } from './out-of-order.ts';

/** How often a piece of work is tried again at once when others change the same customers. The queue tries later still. */
const ATTEMPTS = 12;
/**
 * Stores interactions with the customers they belong to, then publishes what happened. Work that concerns the same
 * people is done in one transaction, other work apart from it. Returns the messages that have to be delivered again,
 * each with the reason.
 */
export const record =
  (ports: RecordPorts) =>
  async (works: readonly Work[]): Promise<ReadonlyMap<string, unknown>> => {
    const config = await ports.identity();
    const failed = new Map<string, unknown>();
    const outgoing: Outgoing[] = [];
    let waiting: readonly Work[] = works;
    let fruitless = 0;
    while (waiting.length > 0 && fruitless < ATTEMPTS) {
      const tooEarly = findOutOfOrder(waiting, (work) => identifiersOf(work, config).length > 0);
      const ripe = waiting.filter((work) => !tooEarly.has(work));
      const loaded = await ports.load(ripe);
      const again: Work[] = [...tooEarly];
      const later = findAheadOfMessage(ripe, loaded);
      for (const [{ message }, queue] of later) {
        try {
          await queue();
        } catch (error) {
          failed.set(message, error);
        }
      }
      const now = ripe.filter((work) => !later.has(work));
      for (const group of grouped(now, loaded, config)) {
        try {
          const { settled, left } = await commitGroup(ports, config, group, loaded);
          again.push(...left);
          outgoing.push(...settled);
        } catch (error) {
          for (const { message } of group) failed.set(message, error);
        }
      }
      fruitless = again.length < waiting.length ? 0 : fruitless + 1;
      waiting = again;
    }
    for (const { message } of waiting) failed.set(message, writeConflict());
    const taken = await ports.publish(outgoing.map(({ event }) => event));
    for (const [position, { messages }] of outgoing.entries()) {
      if (taken[position] !== true) for (const message of messages) failed.set(message, unpublished());
    }
    return failed;
  };

const writeConflict = (): HubError =>
  new HubError(
    'write-conflict',
    `The same customers were changed ${ATTEMPTS} times in between; the queue delivers the message again.`,
    { retry: 'later' },
  );

const unpublished = (): HubError =>
  new HubError(
    'unpublished',
    'The bus did not take an event; the queue delivers the message again and the same events are published.',
    { retry: 'later' },
  );
