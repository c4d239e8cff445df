import * as z from 'zod';
import { HubError } from '../errors.ts';
import type { Interaction } from '../interaction/interaction.ts';
import { matches, parsePattern } from '../triggers/pattern/index.ts';
import { compileFields, type FieldMapper, FieldRule } from './fields.ts';

const RecordRule = z.strictObject({
  object: z.string(),
  key: z.string(),
  fields: z.record(z.string(), FieldRule),
});

/** `mappings/crm/<crm>.yaml`: which field of the CRM gets what. */
export const CrmMapping = z.strictObject({
  contact: RecordRule,
  interactions: z.array(RecordRule.extend({ when: z.record(z.string(), z.json()) })).default([]),
});
export type CrmMapping = z.infer<typeof CrmMapping>;

/** An interaction as mappings name it; `proof` is `claimed` if nobody vouches for any of its identifiers. */
export interface MappedInteraction extends Interaction {
  readonly proof: 'proven' | 'claimed';
}

export interface CompiledMapping {
  readonly contact: {
    readonly object: string;
    readonly key: string;
    readonly fields: FieldMapper;
    /** The fields of `write: if-empty`. */
    readonly once: readonly string[];
    /** The fields of `write: always`. */
    readonly always: readonly string[];
  };
  /** Where interactions may have gone, and the field that holds their ids: each object once. */
  readonly interactionObjects: readonly { readonly object: string; readonly key: string }[];
  /** The rule of an interaction, the first whose `when` matches; undefined where the CRM does not want it. */
  readonly forInteraction: (
    interaction: MappedInteraction,
  ) => { readonly object: string; readonly key: string; readonly fields: FieldMapper } | undefined;
}

/** Makes a mapping ready. Throws `HubError` `invalid-configuration` naming the CRM's file. */
export const compileMapping = (crm: string, raw: unknown): CompiledMapping => {
  const parsed = CrmMapping.safeParse(raw);
  if (!parsed.success)
    throw new HubError(
      'invalid-configuration',
      `mappings/crm/${crm}.yaml: ${z.prettifyError(parsed.error)}`,
      { retry: 'later', cause: parsed.error },
    );
  const { contact, interactions } = parsed.data;
  const rules = interactions.map(({ when, object, key, fields }) => ({
    when: parsePattern(when),
    object,
    key,
    fields: compileFields(fields),
  }));
  return {
    contact: {
      ...contact,
      fields: compileFields(contact.fields),
      once: Object.keys(contact.fields).filter((name) => contact.fields[name]?.write === 'if-empty'),
      always: Object.keys(contact.fields).filter((name) => contact.fields[name]?.write === 'always'),
    },
    interactionObjects: [...new Map(rules.map(({ object, key }) => [object, { object, key }])).values()],
    forInteraction: (interaction) => rules.find(({ when }) => matches(when, interaction)),
  };
};
