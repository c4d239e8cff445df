import { tolerant } from '../../../core/formats/tolerant.ts';
import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import { currentTriggerKey, triggerVersionKey } from '../../contracts/keys.ts';
import { type CurrentTrigger, currentTriggerOf, triggerVersionOf } from '../../contracts/rows/triggers.ts';
import { cache } from '../clients/cache.ts';
import type { Table } from '../clients/dynamo.ts';

/** A published version with its templates: waits that have started keep theirs when the trigger is edited. */
export interface TriggerVersion {
  readonly trigger: Trigger;
  readonly templates: Readonly<Record<string, TemplateFiles>>;
}

export interface Triggers {
  /** Undefined where this version was never published. */
  version(trigger: string, version: number): Promise<TriggerVersion | undefined>;
  /** Never cached, so that a pause takes effect at once. Undefined where the trigger was never published. */
  current(trigger: string): Promise<CurrentTrigger | undefined>;
}

const MOST_VERSIONS = 1000;

/** Published versions never change, so those that were read stay in memory; `current` is read each time. */
export const triggers = (table: Table): Triggers => {
  const load = async (id: string): Promise<TriggerVersion | undefined> => {
    const [trigger = '', version] = id.split('#');
    const [row] = await table.get([triggerVersionKey(trigger, Number(version))]);
    if (row === undefined) return undefined;
    const { definition, templates } = triggerVersionOf(row);
    return { trigger: tolerant(Trigger).parse(definition), templates };
  };
  const versions = cache(load, {
    ...{ ttlMs: Number.POSITIVE_INFINITY, most: MOST_VERSIONS, now: () => 0 },
    isStored: (version) => version !== undefined,
  });
  return {
    version: (trigger, version) => versions.get(`${trigger}#${version}`),
    async current(trigger) {
      const [row] = await table.get([currentTriggerKey(trigger)]);
      return row && currentTriggerOf(row);
    },
  };
};
