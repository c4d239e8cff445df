import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import { currentTriggerKey, triggerVersionKey } from '../../contracts/keys.ts';
import { CurrentTrigger, TriggerVersionRow } from '../../contracts/rows/triggers.ts';
import type { Table } from '../clients/dynamo.ts';

/** One published version, with its templates as they were: an edit leaves started waits on theirs. */
export interface TriggerVersion {
  readonly trigger: Trigger;
  readonly templates: Readonly<Record<string, TemplateFiles>>;
}

export interface Triggers {
  version(trigger: string, version: number): Promise<TriggerVersion | undefined>;
  /** Read anew each time: a pause holds at once. */
  current(trigger: string): Promise<CurrentTrigger | undefined>;
}

export const triggers = (table: Table): Triggers => {
  // A version never changes once it is stored.
  const versions = new Map<string, TriggerVersion>();
  return {
    async version(trigger, version) {
      const id = `${trigger}#${version}`;
      const known = versions.get(id);
      if (known) return known;
      const [row] = await table.get([triggerVersionKey(trigger, version)]);
      if (row === undefined) return undefined;
      const { definition, templates } = TriggerVersionRow.parse(row);
      const read = { trigger: Trigger.parse(definition), templates };
      versions.set(id, read);
      return read;
    },
    async current(trigger) {
      const [row] = await table.get([currentTriggerKey(trigger)]);
      return row && CurrentTrigger.parse(row);
    },
  };
};
