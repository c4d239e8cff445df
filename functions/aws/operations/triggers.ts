import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';
import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import type { Key, Table } from '../clients/dynamo.ts';

/** One published version, with its templates as they were: an edit leaves started waits on theirs. */
export interface TriggerVersion {
  readonly trigger: Trigger;
  readonly templates: Readonly<Record<string, TemplateFiles>>;
}

const VersionRow = z.object({
  definition: z.unknown(),
  templates: z.record(z.string(), z.record(z.string(), z.string())),
});

const CurrentRow = z.object({
  version: z.int().positive(),
  paused: z.boolean(),
  /** The last time it was paused: what was waiting then is not sent, even where the trigger has gone on since. */
  pausedAt: Instant.optional(),
  /** Of definition and templates, to tell a change from a repetition. */
  digest: z.string(),
  /** The digest that a deploy published; another one in `digest` means that a person has edited the trigger since. */
  seeded: z.string().optional(),
});
export type CurrentRow = z.infer<typeof CurrentRow>;

export const versionKey = (trigger: string, version: number): Key => ({
  pk: `trigger#${trigger}`,
  sk: `v#${version}`,
});
export const currentKey = (trigger: string): Key => ({ pk: `trigger#${trigger}`, sk: 'current' });

export interface Triggers {
  version(trigger: string, version: number): Promise<TriggerVersion | undefined>;
  /** Read anew each time: a pause holds at once. */
  current(trigger: string): Promise<CurrentRow | undefined>;
}

export const triggers = (table: Table): Triggers => {
  // A version never changes once it is stored.
  const versions = new Map<string, TriggerVersion>();
  return {
    async version(trigger, version) {
      const id = `${trigger}#${version}`;
      const known = versions.get(id);
      if (known) return known;
      const [row] = await table.get([versionKey(trigger, version)]);
      if (row === undefined) return undefined;
      const { definition, templates } = VersionRow.parse(row);
      const read = { trigger: Trigger.parse(definition), templates };
      versions.set(id, read);
      return read;
    },
    async current(trigger) {
      const [row] = await table.get([currentKey(trigger)]);
      return row && CurrentRow.parse(row);
    },
  };
};
