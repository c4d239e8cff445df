import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { nameParts } from '../../../core/identity/customer.ts';
import type { Condition } from '../../../core/triggers/condition.ts';
import type { Directory } from '../../aws/customers/lists/directory.ts';
import type { Triggers } from '../../aws/triggers/triggers.ts';
import { type Job, resultKey } from '../../contracts/jobs/job.ts';
import { type AudienceParameters, audienceKind } from '../../contracts/jobs/kinds.ts';
import type { History } from '../../contracts/ports/history.ts';
import { holdsFor } from './holds.ts';

export interface AudiencePorts {
  readonly triggers: Triggers;
  readonly directory: Directory;
  readonly history: Pick<History, 'customers' | 'timeline'>;
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const AudienceCheckpoint = z.strictObject({
  cursor: z.string().optional(),
  counts: z.strictObject({ persons: z.int(), holds: z.int() }),
  /** The ids of the first persons of whom the conditions hold. */
  ids: z.array(z.string()),
});

const CUSTOMERS_PER_PAGE = 100;

/**
 * Counts the persons of whom conditions hold now, and lists the first of them with their names as JSON. It has no effect on
 * anybody. Throws `HubError` `unknown-trigger` (never) where the trigger is not published.
 */
export const audienceJob = (
  ports: AudiencePorts,
): Job<AudienceParameters, z.infer<typeof AudienceCheckpoint>> => ({
  ...audienceKind,
  checkpoint: AudienceCheckpoint,
  start: async () => ({ checkpoint: { counts: { persons: 0, holds: 0 }, ids: [] } }),
  async slice({ job, parameters, checkpoint: first, timeLeft }) {
    const where = await conditionsOf(ports, parameters);
    let checkpoint = first;
    do {
      const { cursor, counts, ids } = checkpoint;
      const page = await ports.directory.page(cursor, CUSTOMERS_PER_PAGE);
      const found = await ports.history.customers(page.ids);
      const persons = page.ids.flatMap((id) => {
        const customer = found.get(id);
        return customer === undefined || customer.id !== id || customer.guest ? [] : [customer];
      });
      const now = ports.now();
      const answers = await Promise.all(
        persons.map((customer) => holdsFor(ports.history, where, customer, now)),
      );
      const holding = persons.filter((_, position) => answers[position]);
      checkpoint = {
        ...(page.next !== undefined && { cursor: page.next }),
        counts: { persons: counts.persons + persons.length, holds: counts.holds + holding.length },
        ids: [...ids, ...holding.map(({ id }) => id)].slice(0, parameters.list),
      };
    } while (checkpoint.cursor !== undefined && timeLeft());
    const finished = checkpoint.cursor === undefined;
    if (finished && parameters.list > 0)
      await ports.put(resultKey(job), Buffer.from(JSON.stringify(await named(ports, checkpoint.ids))));
    return {
      ...{ checkpoint, finished, counts: checkpoint.counts, result: finished && parameters.list > 0 },
      done: checkpoint.counts.persons - first.counts.persons,
    };
  },
});

const conditionsOf = async (
  { triggers }: AudiencePorts,
  { trigger, where }: AudienceParameters,
): Promise<readonly Condition[]> => {
  if (trigger === undefined) return where ?? [];
  const current = await triggers.current(trigger);
  const published = current && (await triggers.version(trigger, current.version));
  if (published) return published.trigger.where;
  throw new HubError(
    'unknown-trigger',
    `The trigger ${trigger} is not published. Name its file to count by the conditions that it has there.`,
    { retry: 'never' },
  );
};

const named = async ({ history }: AudiencePorts, ids: readonly string[]): Promise<object[]> => {
  const customers = await history.customers(ids);
  return ids.flatMap((id) => {
    const customer = customers.get(id);
    return customer === undefined ? [] : [{ id, name: nameParts(customer.name).full }];
  });
};
