import type { DecisionMessage } from '../../core/triggers/notification.ts';
import { updateOptimistically } from '../aws/clients/optimistic.ts';
import { decide, versionOf } from './decide.ts';
import { advanceSeries } from './series/advance.ts';
import type { SeriesPorts } from './series/ports.ts';

/** Decides about the one message of a trigger, or takes a customer on in a series. */
export const decideMessage =
  (ports: SeriesPorts) =>
  async (message: DecisionMessage): Promise<void> => {
    const version = await versionOf(ports, message);
    if (version.trigger.steps === undefined || message.timer === 'goal') return decide(ports)(message);
    await updateOptimistically(ports.pausing, 'The place of the customer in the series', () =>
      advanceSeries(ports, message, version),
    );
  };
