import { HubConfig } from '../../core/config/hub-config.ts';
import { nextLook } from '../../core/triggers/audience/each.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { placesOfPart } from '../../functions/aws/customers/lists.ts';
import { zones } from '../../functions/aws/customers/zones.ts';
import { audiences } from '../../functions/aws/triggers/audiences.ts';
import { triggers } from '../../functions/aws/triggers/triggers.ts';
import { queueArn } from './hub/in-process-hub.ts';
import type { ScenarioHub } from './scenario-hub.ts';

/** The lists of customers follow what happens within this time. */
const LISTED_MS = 60_000;

/**
 * Plans the next look at customers. The rule of the stack that plans looks every quarter of an hour does not run in a scenario:
 * its message is sent when a look falls due, and no scenario lasts longer for one.
 */
const planLooks = async (hub: ScenarioHub): Promise<void> => {
  const { clock, cloud, plannedLooks } = hub;
  const at = await nextLookOf(hub);
  if (at === undefined || plannedLooks.has(at)) return;
  plannedLooks.add(at);
  clock.aside(at, () => {
    cloud.send(queueArn(cloud, /^JobsQueue/u), JSON.stringify({ plan: 'looks' }));
    return planLooks(hub);
  });
};

/** Plans the next look now, and again when the customers of a step are listed. */
export const planLooksAfterStep = async (hub: ScenarioHub): Promise<void> => {
  if (![...hub.triggerDefinitions.values()].some(hasEach)) return;
  await planLooks(hub);
  hub.clock.aside(hub.clock.now() + LISTED_MS, () => planLooks(hub));
};

const hasEach = (definition: unknown): boolean =>
  typeof definition === 'object' && definition !== null && 'each' in definition;

/** Epoch milliseconds; undefined where no trigger looks at customers any more. */
const nextLookOf = async ({ clock, runtime, hubConfig }: ScenarioHub): Promise<number | undefined> => {
  const rows = table(runtime);
  const stored = triggers(rows);
  const inUse = await zones(placesOfPart(rows)).inUse();
  const { timeZone } = HubConfig.parse(hubConfig);
  const found: number[] = [];
  for (const { trigger } of await audiences(rows).all()) {
    const current = await stored.current(trigger);
    const each = current && (await stored.version(trigger, current.version))?.trigger.each;
    if (each === undefined || current?.paused === true) continue;
    for (const zone of new Set([timeZone, ...inUse])) {
      const next = nextLook(each, zone === '' ? timeZone : zone, clock.now());
      if (next !== undefined) found.push(next);
    }
  }
  return found.length === 0 ? undefined : Math.min(...found);
};
