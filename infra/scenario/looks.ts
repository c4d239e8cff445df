import { HubConfig } from '../../core/config/hub-config.ts';
import { type Each, nextLook } from '../../core/triggers/audience/each.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { placesOfPart } from '../../functions/aws/customers/lists/lists.ts';
import { zones } from '../../functions/aws/customers/lists/zones.ts';
import { audiences } from '../../functions/aws/triggers/audiences.ts';
import { triggers } from '../../functions/aws/triggers/triggers.ts';
import { type InProcessHub, queueArn } from './hub/in-process-hub.ts';

/** What is looked at and in which zones, as known after the last step, and the instants that are planned. */
export interface PlannedLooks {
  each: readonly Each[];
  zones: readonly string[];
  readonly planned: Set<number>;
}

/** What planning looks needs of the hub of a scenario. */
interface LookingHub extends Pick<InProcessHub, 'clock' | 'cloud' | 'runtime'> {
  readonly hubConfig: unknown;
  readonly triggerDefinitions: ReadonlyMap<string, unknown>;
  readonly looks: PlannedLooks;
}

/** The lists of customers follow what happens within a minute. */
const LISTED_MS = 61_000;

/**
 * Plans the looks at customers that fall due while time passes, as they are known after a step, and again when the customers of
 * the step are listed. The rule of the stack that plans looks every quarter of an hour does not run in a scenario: its message
 * is sent when a look falls due, and no scenario lasts longer for one.
 */
export const planLooks = async (hub: LookingHub): Promise<void> => {
  if (![...hub.triggerDefinitions.values()].some(hasEach)) return;
  await readLooks(hub);
  hub.clock.aside(hub.clock.now() + LISTED_MS, () => readLooks(hub));
};

const hasEach = (definition: unknown): boolean =>
  typeof definition === 'object' && definition !== null && 'each' in definition;

const readLooks = async (hub: LookingHub): Promise<void> => {
  const { runtime, hubConfig, looks } = hub;
  const rows = table(runtime);
  const stored = triggers(rows);
  const { timeZone } = HubConfig.parse(hubConfig);
  const inUse = await zones(placesOfPart(rows)).inUse();
  const found: Each[] = [];
  for (const { trigger } of await audiences(rows).all()) {
    const current = await stored.current(trigger);
    const version = current?.paused === false ? await stored.version(trigger, current.version) : undefined;
    if (version?.trigger.each) found.push(version.trigger.each);
  }
  looks.each = found;
  looks.zones = [...new Set([timeZone, ...inUse])].filter((zone) => zone !== '');
  planNext(hub);
};

const planNext = (hub: LookingHub): void => {
  const { clock, cloud, looks } = hub;
  const due = looks.each.flatMap((each) =>
    looks.zones.flatMap((zone) => nextLook(each, zone, clock.now()) ?? []),
  );
  const at = Math.min(...due);
  if (due.length === 0 || looks.planned.has(at)) return;
  looks.planned.add(at);
  clock.aside(at, () => {
    cloud.send(queueArn(cloud, /^JobsQueue/u), JSON.stringify({ plan: 'looks' }));
    planNext(hub);
  });
};
