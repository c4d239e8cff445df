import type { Write } from '../../../core/crm/mapping/fields.ts';
import { type CompiledMapping, compileMapping } from '../../../core/crm/mapping/mapping.ts';
import type { FieldState } from '../../../core/crm/state.ts';

/** The fields of a contact with one field per way of writing, each from a trait of its own name. */
export const contactFields = (
  writes: Readonly<Record<string, Write>>,
): CompiledMapping['contact']['fields'] =>
  compileMapping('test', {
    contact: {
      ...{ object: 'Contact', key: 'Key' },
      fields: Object.fromEntries(
        Object.entries(writes).map(([name, write]) => [
          name,
          write === 'crm-owns'
            ? { write, to: `traits.${name}` }
            : { write, from: `traits.${name}`, fallback: 'displayName' },
        ]),
      ),
    },
  }).contact.fields;

/** The instant so many minutes after the beginning. */
export const minute = (count: number): string =>
  new Date(Date.UTC(2026, 2, 1) + count * 60_000).toISOString();

/** Where both sides stand with the same value. */
export const agreed = (value: string | null, at = minute(0)): FieldState => ({
  ...(value !== null && { ours: value }),
  theirs: value,
  at,
});
