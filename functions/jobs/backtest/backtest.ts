import * as z from 'zod';
import { faultLine } from '../../../core/config/config-file.ts';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import { type Customer, nameParts } from '../../../core/identity/customer.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { BacktestResult } from '../../../core/triggers/backtest/tally.ts';
import { addToTally, BacktestTally, emptyTally } from '../../../core/triggers/backtest/tally.ts';
import { outcomeSentence, unknownTo } from '../../../core/triggers/backtest/words.ts';
import { readTriggerFile } from '../../../core/triggers/publishing/publishable.ts';
import { dayAt } from '../../../core/triggers/schedule.ts';
import type { Directory } from '../../aws/customers/lists/directory.ts';
import type { Triggers, TriggerVersion } from '../../aws/triggers/triggers.ts';
import { type Job, resultKey } from '../../contracts/jobs/job.ts';
import { type BacktestParameters, backtestKind } from '../../contracts/jobs/kinds.ts';
import type { Guests } from '../../contracts/ports/guests.ts';
import type { History } from '../../contracts/ports/history.ts';
import type { StoredPorts } from './ports-then.ts';
import { type Play, walkHistory } from './walk.ts';

export type BacktestPorts = Omit<StoredPorts, 'history' | 'guests'> & {
  readonly guests: Guests;
  readonly triggers: Pick<Triggers, 'current' | 'version'>;
  readonly directory: Directory;
  readonly history: Pick<History, 'customers' | 'timeline' | 'answers'>;
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
};

const Checkpoint = z.strictObject({
  cursor: z.string().optional(),
  /** Of a published trigger, the version that is played. */
  version: z.int().optional(),
  /** How many of the customers that set it off are guests. */
  guests: z.int(),
  tally: BacktestTally,
});
type Checkpoint = z.infer<typeof Checkpoint>;

/** The histories of so many customers are open at a time. */
const CUSTOMERS_PER_PAGE = 25;
const DAY_MS = 86_400_000;

/**
 * Plays a trigger over the stored history of every customer, by the code that decides live, and has no effect on anybody: it
 * writes its own row and its result alone. Throws `HubError` `unknown-trigger`, `invalid-trigger` or `unplayable-trigger`
 * (never).
 */
export const backtestJob = (ports: BacktestPorts): Job<BacktestParameters, Checkpoint> => ({
  ...backtestKind,
  checkpoint: Checkpoint,
  async start({ trigger }) {
    const current = typeof trigger === 'string' ? await ports.triggers.current(trigger) : undefined;
    const version = current && { version: current.version };
    expectPlayable(await versionOf(ports, trigger, current?.version));
    return { checkpoint: { ...version, guests: 0, tally: emptyTally } };
  },
  async slice({ job, parameters, startedAt, checkpoint: first, timeLeft }) {
    const { days, list } = parameters;
    const version = await versionOf(ports, parameters.trigger, first.version);
    const to = Date.parse(startedAt);
    const play: Play = { version, from: to - days * DAY_MS, to };
    const hub = await ports.hub();
    const dayOf = (at: string): string => dayAt(Date.parse(at), hub.timeZone);
    let checkpoint = first;
    do {
      const page = await ports.directory.page(checkpoint.cursor, CUSTOMERS_PER_PAGE);
      const customers = await withGuests(ports, page.ids);
      const walked = await Promise.all(
        customers.map(async (customer) => ({ customer, ...(await walkHistory(ports, play, customer)) })),
      );
      const { cursor: _, ...before } = checkpoint;
      checkpoint = {
        ...before,
        ...(page.next !== undefined && { cursor: page.next }),
        guests: before.guests + walked.filter((one) => one.customer.guest && one.outcomes.length > 0).length,
        tally: walked.reduce((tally, one) => addToTally(tally, one, { list, dayOf }), before.tally),
      };
    } while (checkpoint.cursor !== undefined && timeLeft());
    const { cursor, tally } = checkpoint;
    const finished = cursor === undefined;
    if (finished)
      await ports.put(
        resultKey(job),
        Buffer.from(JSON.stringify(await resultOf(ports, play, { days, checkpoint, hub }))),
      );
    const { customers, matched, sent, people } = tally;
    return {
      ...{ checkpoint, finished, result: finished },
      counts: { customers, matched, sent, people },
      done: customers - first.tally.customers,
    };
  },
});

/** Customers by their ids, and the guests that are shown with them: the directory has those only in part. */
const withGuests = async (
  { history, guests }: BacktestPorts,
  ids: readonly string[],
): Promise<Customer[]> => {
  const found = await history.customers(ids);
  const all = ids.map(async (id) => {
    const customer = found.get(id);
    if (customer === undefined || customer.id !== id) return [];
    if (!customer.guest) return [customer, ...(await guests.guestsOf(customer))];
    return (await guests.personOf(customer)) === undefined ? [customer] : [];
  });
  return (await Promise.all(all)).flat();
};

const versionOf = async (
  { triggers, hub }: BacktestPorts,
  asked: BacktestParameters['trigger'],
  version: number | undefined,
): Promise<TriggerVersion> => {
  if (typeof asked === 'string') {
    const published = version === undefined ? undefined : await triggers.version(asked, version);
    if (published) return published;
    throw new HubError(
      'unknown-trigger',
      `The trigger ${asked} is not published. Name its file to play it as it stands there.`,
      { retry: 'never' },
    );
  }
  // What is inside the templates was checked before the job was created.
  const read = readTriggerFile(asked, await hub(), () => []);
  if ('trigger' in read) return { trigger: read.trigger, templates: asked.templates };
  throw new HubError('invalid-trigger', read.faults.map(faultLine).join('\n'), { retry: 'never' });
};

const expectPlayable = ({ trigger }: TriggerVersion): void => {
  const key = trigger.steps !== undefined ? 'steps' : trigger.each !== undefined ? 'each' : undefined;
  if (key === undefined) return;
  throw new HubError(
    'unplayable-trigger',
    `The trigger ${trigger.id} has \`${key}\`, and ${key === 'steps' ? 'a series' : 'an audience'} cannot be played over the past yet. Play a trigger with \`on\` and \`send\`.`,
    { retry: 'never' },
  );
};

const resultOf = async (
  { history }: BacktestPorts,
  { version: { trigger }, from, to }: Play,
  {
    days,
    hub,
    checkpoint: { tally, guests },
  }: { readonly days: number; readonly hub: HubConfig; readonly checkpoint: Checkpoint },
): Promise<BacktestResult> => {
  const { first, ...counts } = tally;
  const customers = await history.customers(first.map(({ customer }) => customer));
  return {
    ...{ trigger: trigger.id, from: instant(from), to: instant(to), timeZone: hub.timeZone, ...counts },
    first: first.map((one) => {
      const name = customers.get(one.customer)?.name;
      return {
        ...one,
        ...(name && { name: nameParts(name).full }),
        sentence: outcomeSentence(one),
      };
    }),
    unknown: unknownTo(trigger, hub, { days, guests }),
  };
};
