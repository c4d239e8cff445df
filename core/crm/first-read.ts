import { comparable } from './change.ts';
import type { CrmFields } from './connector.ts';
import type { ContactFields, InboundValue } from './mapping/mapping.ts';
import { type FieldStates, isConsentRead, type OurValues } from './state.ts';

/** What is learned of a customer from a record that was read for the first time: what the CRM owns, and what the hub lacks. */
export const firstInboundValues = (
  fields: ContactFields,
  { values }: Pick<OurValues, 'values'>,
  held: CrmFields,
): InboundValue[] =>
  [...fields.readers].flatMap(([name, reader]) => {
    const value = held[name];
    if (comparable(value) === '' || (fields.writes.get(name) !== 'crm-owns' && values[name] !== undefined))
      return [];
    const placed = reader.place(value);
    return placed ? [{ ...placed, field: name }] : [];
  });

/** The opt-outs in a record that was read, in fields of which nothing was known before. */
export const firstOptOuts = (fields: ContactFields, states: FieldStates, held: CrmFields): InboundValue[] =>
  [...fields.readers].flatMap(([name, reader]) => {
    if (!isConsentRead(fields, name) || states[name] !== undefined) return [];
    const placed = reader.place(held[name]);
    return placed ? [{ ...placed, field: name }] : [];
  });
