import * as z from 'zod';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { zoneParts } from '../../../core/timeline/lists.ts';
import { type Each, type Look, lookIn, nextLook } from '../../../core/triggers/audience/each.ts';
import { zoneOf } from '../../../core/triggers/schedule.ts';
import type { Trigger } from '../../../core/triggers/trigger.ts';
import type { Publish } from '../../aws/clients/bus.ts';
import type { Triggers } from '../../aws/triggers/triggers.ts';
import { audienceEntered } from '../../contracts/events/build.ts';
import type { Job } from '../../contracts/jobs/job.ts';
import { type LookParameters, lookKind } from '../../contracts/jobs/kinds.ts';
import type { Audiences, Zones } from '../../contracts/ports/audiences.ts';
import type { History } from '../../contracts/ports/history.ts';
import { holdsFor } from './holds.ts';

export interface LookPorts {
  readonly audiences: Pick<Audiences, 'members' | 'enter' | 'leave'>;
  readonly triggers: Pick<Triggers, 'current' | 'version'>;
  readonly zones: Zones;
  readonly history: Pick<History, 'customers' | 'timeline'>;
  readonly hub: () => Promise<HubConfig>;
  readonly publish: Publish;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Every person before this place was looked at. */
const LookCheckpoint = z.strictObject({
  /** The position in `zoneParts`. */
  part: z.int().nonnegative(),
  /** The zone at work in that part; absent before the first. */
  zone: z.string().optional(),
  /** The last person of that zone; absent before the first. */
  after: z.string().optional(),
  isZoneDone: z.boolean().optional(),
  counts: z.strictObject({ looked: z.int(), entered: z.int(), left: z.int() }),
});
type LookCheckpoint = z.infer<typeof LookCheckpoint>;

/** What a look works by; the trigger as it is published now. */
interface Sight {
  readonly trigger: Trigger & { readonly each: Each };
  readonly version: number;
  readonly hubZone: string;
  readonly from: number;
  readonly to: number;
}

const PERSONS_PER_PAGE = 100;

/**
 * Looks at the persons whose local time for it falls into (from, to]: publishes an event for each of whom the conditions hold
 * and who was not in the audience, and keeps the audience. The event comes first and is the same each time, so a page that is
 * repeated after a crash sends nothing twice and forgets nobody.
 */
export const lookJob = (ports: LookPorts): Job<LookParameters, LookCheckpoint> => ({
  ...lookKind,
  checkpoint: LookCheckpoint,
  start: async () => ({ checkpoint: { part: 0, counts: { looked: 0, entered: 0, left: 0 } } }),
  async slice({ parameters, checkpoint: first, timeLeft }) {
    let checkpoint = first;
    const progress = (finished: boolean) => ({
      ...{ checkpoint, finished, counts: checkpoint.counts },
      done: checkpoint.counts.looked - first.counts.looked,
    });
    const inUse = await ports.zones.inUse();
    let sight = await sightOf(ports, parameters);
    do {
      const place = sight && placeAt(sight, inUse, checkpoint);
      if (sight === undefined || place === undefined) return progress(true);
      const ids = await ports.zones.page(place.part, place.zone, place.after, PERSONS_PER_PAGE);
      const counts = add(checkpoint.counts, await lookAtAll(ports, sight, ids));
      const last = ids.at(-1);
      // Read again behind persons, so that a pause works at once.
      if (last !== undefined) sight = await sightOf(ports, parameters);
      checkpoint = { ...place, ...(last !== undefined && { after: last }), counts };
      if (ids.length < PERSONS_PER_PAGE) checkpoint = { ...checkpoint, isZoneDone: true };
    } while (timeLeft());
    return progress(false);
  },
});

const add = (one: LookCheckpoint['counts'], other: LookCheckpoint['counts']): LookCheckpoint['counts'] => ({
  looked: one.looked + other.looked,
  entered: one.entered + other.entered,
  left: one.left + other.left,
});

/** Undefined where the trigger does not look any more. */
const sightOf = async (
  ports: LookPorts,
  { trigger: id, from, to }: LookParameters,
): Promise<Sight | undefined> => {
  const current = await ports.triggers.current(id);
  if (current === undefined || current.paused || (current.since ?? '') > to) return undefined;
  const trigger = (await ports.triggers.version(id, current.version))?.trigger;
  if (trigger?.each === undefined) return undefined;
  const { timeZone } = await ports.hub();
  return {
    ...{ trigger: { ...trigger, each: trigger.each }, version: current.version, hubZone: timeZone },
    ...{ from: Date.parse(from), to: Date.parse(to) },
  };
};

interface Place {
  readonly part: number;
  readonly zone: string;
  readonly after?: string;
}

/** Where the next persons are whose zone is due; undefined behind the last. */
const placeAt = (
  { trigger: { each }, hubZone, from, to }: Sight,
  zones: readonly string[],
  { part, zone: reached = '', after, isZoneDone = false }: LookCheckpoint,
): Place | undefined => {
  const due = zones.filter((zone) => {
    const next = nextLook(each, zone === '' ? hubZone : zone, from);
    return next !== undefined && next <= to;
  });
  const zone = due.find((one) => (isZoneDone ? one > reached : one >= reached));
  if (zone === undefined) {
    const [first] = due;
    return first === undefined || part + 1 >= zoneParts.length ? undefined : { part: part + 1, zone: first };
  }
  return { part, zone, ...(zone === reached && after !== undefined && { after }) };
};

interface Seen {
  readonly customer: Customer;
  readonly look: Look;
  readonly holds: boolean;
}

const lookAtAll = async (
  ports: LookPorts,
  sight: Sight,
  ids: readonly string[],
): Promise<LookCheckpoint['counts']> => {
  const { trigger, version } = sight;
  const customers = (await ports.history.customers(ids)).values();
  const persons = [...new Map([...customers].map((one) => [one.id, one])).values()].filter(
    ({ guest }) => !guest,
  );
  const found = await Promise.all(persons.map((customer) => lookAt(ports, sight, customer)));
  const seen = found.filter((one) => one !== undefined);
  // A date and a campaign have no audience: who enters is found by the occasion.
  const isKept = 'day' in trigger.each;
  const members = isKept
    ? await ports.audiences.members(
        trigger.id,
        seen.flatMap(({ customer }) => profileIdsOf(customer)),
      )
    : new Set<string>();
  const isMember = ({ customer }: Seen): boolean => profileIdsOf(customer).some((id) => members.has(id));
  const entering = seen.filter((one) => one.holds && !isMember(one));
  const leaving = seen.filter((one) => !one.holds && isMember(one));
  await publishEntries(
    ports,
    entering.map(({ customer, look }) =>
      audienceEntered(snapshotCustomer(customer, customer.id, false), { trigger: trigger.id, version }, look),
    ),
  );
  if (isKept) {
    const profileIds = (some: readonly Seen[]): string[] =>
      some.flatMap(({ customer }) => profileIdsOf(customer));
    await ports.audiences.enter(trigger.id, profileIds(entering), instant(sight.to));
    await ports.audiences.leave(trigger.id, profileIds(leaving));
  }
  return { looked: seen.length, entered: entering.length, left: leaving.length };
};

const profileIdsOf = ({ sourceProfiles }: Customer): string[] =>
  sourceProfiles.map(({ profile }) => profile.id);

/** Undefined where no time to look at the customer falls into the window. */
const lookAt = async (
  ports: LookPorts,
  { trigger, hubZone, from, to }: Sight,
  customer: Customer,
): Promise<Seen | undefined> => {
  const timeZone = zoneOf(customer.timeZone, hubZone);
  const profile = snapshotCustomer(customer, customer.id, false);
  const look = lookIn(trigger.each, { timeZone, profile }, from, to);
  return (
    look && { customer, look, holds: await holdsFor(ports.history, trigger.where, customer, ports.now()) }
  );
};

const publishEntries = async ({ publish }: LookPorts, events: Parameters<Publish>[0]): Promise<void> => {
  const accepted = await publish(events);
  if (accepted.every((one) => one)) return;
  throw new HubError(
    'unpublished-events',
    'EventBridge refused the event audience.entered of some customers. The slice is repeated automatically.',
    { retry: 'later' },
  );
};
