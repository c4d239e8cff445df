import { HubError } from '../../errors.ts';
import type { FieldRule } from '../mapping/fields.ts';
import { type CompiledMapping, compileMapping } from '../mapping/mapping.ts';
import { type FieldState, fieldsWithoutBase, planCreation, planUpdate, type SyncState } from '../state.ts';

/** What the hub would do with one field of a contact now. */
interface FieldPreview {
  readonly field: string;
  readonly write: string;
  /** Where the value comes from, in the words of the mapping. */
  readonly rule: string;
  /** What the hub has for the field. */
  readonly ours?: unknown;
  /** What the hub would write; null empties the field. */
  readonly written?: unknown;
  /** What the CRM last held, and its time of that. */
  readonly theirs?: unknown;
  readonly at?: string;
  /** Why it is written or not. */
  readonly why: string;
}

/** What the hub would do with a customer's contact now. */
export interface ContactPreview {
  readonly object: string;
  readonly status: 'linked' | 'new' | 'excluded' | 'unreachable' | 'undecided' | 'gone' | 'borrowed';
  readonly says: string;
  /** The CRM's id of the contact. */
  readonly record?: string;
  readonly fields: readonly FieldPreview[];
}

export interface PreviewOf {
  /** The customer as the mapping sees it. */
  readonly view: object;
  readonly state: SyncState;
  /** Whether the customer has an e-mail address or a phone number. */
  readonly isReachable: boolean;
}

/** What the next sync of a customer would write, from what the hub knows; the CRM is not asked. */
export const previewContact = (crm: string, mapping: CompiledMapping, of: PreviewOf): ContactPreview => {
  const { object } = mapping.contact;
  const situation = situationOf(mapping, of);
  const isWritten = situation.status === 'linked' || situation.status === 'new';
  return {
    object,
    ...situation,
    ...(of.state.record !== undefined && { record: of.state.record }),
    fields: Object.entries(mapping.source.contact.fields).map(([name, rule]) =>
      previewField(crm, mapping, name, rule, of, isWritten),
    ),
  };
};

type Situation = Pick<ContactPreview, 'status' | 'says'>;

const situationOf = ({ contact }: CompiledMapping, { view, state, isReachable }: PreviewOf): Situation => {
  if (!contact.includes(view))
    return { status: 'excluded', says: 'The customer does not match `when`, so that nothing is written.' };
  if (state.undecidedSince !== undefined)
    return {
      status: 'undecided',
      says: 'Several records of the CRM match; nothing is written until a person decides (hub review list).',
    };
  if (state.goneAt !== undefined && !contact.recreate)
    return {
      status: 'gone',
      says: `The record was deleted or merged in the CRM (${state.goneAt}); nothing is written.`,
    };
  if (state.activityOnly)
    return {
      status: 'borrowed',
      says: 'The record is one of staff; a guest gets activities there, and no field is written.',
    };
  if (state.record !== undefined && state.goneAt === undefined)
    return {
      status: 'linked',
      says: 'The customer has this record; what changed since both sides last stood is written.',
    };
  if (contact.create === 'never' || (contact.create === 'reachable' && !isReachable))
    return {
      status: 'unreachable',
      says: `No record is made (create: ${contact.create}); one that is there is adopted by ${contact.match.join(', ') || 'nothing'}.`,
    };
  return {
    status: 'new',
    says:
      contact.match.length === 0
        ? 'A new record is made.'
        : `The hub first looks for a record by ${contact.match.join(', ')}. If there is one, only its empty fields are filled; else a new one is made.`,
  };
};

/** A field by itself, so that one whose value cannot be mapped does not hide the others. */
const previewField = (
  crm: string,
  mapping: CompiledMapping,
  name: string,
  rule: FieldRule,
  { view, state }: PreviewOf,
  isWritten: boolean,
): FieldPreview => {
  const { at, theirs } = state.fields[name] ?? {};
  const known = {
    ...{ field: name, write: rule.write, rule: ruleText(rule) },
    ...(theirs !== undefined && { theirs }),
    ...(at !== undefined && { at }),
  };
  if (rule.write === 'never') return { ...known, why: 'never written' };
  if (rule.write === 'crm-owns') return { ...known, why: `read from the CRM into ${rule.to}` };
  try {
    const { fields } = compileMapping(crm, {
      contact: { object: mapping.contact.object, key: mapping.contact.key, fields: { [name]: rule } },
    }).contact;
    const ours = { values: fields.values(view), fallbacks: fields.fallbacks(view) };
    const has = ours.values[name] ?? ours.fallbacks[name];
    const shown = { ...known, ...(has !== undefined && { ours: has }) };
    const isLinked = state.record !== undefined && state.goneAt === undefined;
    const { write } = isLinked ? planUpdate(fields, ours, state.fields) : planCreation(fields, ours);
    const isUnjudged = isLinked && fieldsWithoutBase(fields, ours.values, state.fields).length > 0;
    if (!isWritten) return { ...shown, why: 'the contact is not written' };
    if (isUnjudged)
      return { ...shown, why: 'the record is read first: the field is filled if it is empty there' };
    if (name in write)
      return {
        ...shown,
        written: write[name],
        why: isLinked ? 'changed since' : 'for a new record, or an empty field',
      };
    return { ...shown, why: unwritten(has, state.fields[name], ours.values[name] === undefined) };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return { ...known, why: `refused: ${error.message}` };
  }
};

const unwritten = (has: unknown, state: FieldState | undefined, isFallback: boolean): string => {
  if (state?.contested !== undefined) return 'left to the CRM, which kept setting it back';
  if (has === undefined) return 'the hub has no value';
  if (isFallback) return 'a fallback is for new records only';
  return state === undefined ? 'nothing to write' : 'both sides stand as they are';
};

const ruleText = ({ from, value, template, fallback, transform, to }: FieldRule): string =>
  [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(value === undefined ? [] : [`value ${JSON.stringify(value)}`]),
    ...(template === undefined ? [] : [`template ${JSON.stringify(template)}`]),
    ...(to === undefined ? [] : [`to ${to}`]),
    ...(fallback === undefined ? [] : [`fallback ${fallback}`]),
    ...transform.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
  ].join(' | ');
