import { tolerant } from '../../../core/formats/tolerant.ts';
import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import {
  currentTriggerKey,
  triggerDraftKey,
  triggerListPartition,
  triggerPartition,
  triggerVersionKey,
  triggerVersionPrefix,
} from '../../contracts/keys.ts';
import {
  type CurrentTrigger,
  currentTriggerOf,
  type TriggerDraft,
  type TriggerVersionRow,
  triggerDraftOf,
  triggerVersionOf,
} from '../../contracts/rows/triggers.ts';
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
  /** One version as it was written, with who wrote it and when. */
  stored(trigger: string, version: number): Promise<TriggerVersionRow | undefined>;
  draft(trigger: string): Promise<TriggerDraft | undefined>;
  /** Every version, oldest first. */
  history(trigger: string): Promise<readonly (TriggerVersionRow & { readonly version: number })[]>;
  /** The ids of all triggers that were published or drafted; those that only an earlier release has published may be absent. */
  ids(): Promise<readonly string[]>;
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
    async stored(trigger, version) {
      const [row] = await table.get([triggerVersionKey(trigger, version)]);
      return row && triggerVersionOf(row);
    },
    async draft(trigger) {
      const [row] = await table.get([triggerDraftKey(trigger)]);
      return row && triggerDraftOf(row);
    },
    async history(trigger) {
      const found: (TriggerVersionRow & { readonly version: number })[] = [];
      for await (const row of table.query(triggerPartition(trigger), { beginsWith: triggerVersionPrefix }))
        found.push({
          ...triggerVersionOf(row),
          version: Number(row.sk.slice(triggerVersionPrefix.length)),
        });
      return found.sort((one, other) => one.version - other.version);
    },
    async ids() {
      const found: string[] = [];
      for await (const { sk } of table.query(triggerListPartition)) found.push(sk);
      return found;
    },
  };
};
