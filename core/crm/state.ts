import * as z from 'zod';
import { Json } from '../formats/json.ts';
import { Instant } from '../interaction/interaction.ts';
import { comparable, valueDigest } from './change.ts';
import type { CrmFields, HeldRecord } from './connector.ts';
import type { ContactFields, InboundValue } from './mapping/mapping.ts';

/** Where the hub and the CRM last stood with one field of a contact. */
const FieldState = z.looseObject({
  /** What the hub had for the field; absent if nothing. */
  ours: Json.optional(),
  /** What the CRM held; null if nothing. */
  theirs: Json.optional(),
  /** The CRM's own time of that, where it is known. */
  at: Instant.optional(),
  /** Set while the CRM's value is one that the hub wrote. */
  filled: z.literal(true).optional(),
  /** Set while `theirs` is what was written, and the CRM has not reported what it made of it. */
  unreported: z.literal(true).optional(),
  /** What the CRM held before the hub wrote. */
  before: Json.optional(),
  /** When the CRM set back what the hub wrote. */
  setBack: z.array(Instant).optional(),
  /** Since when the field is left to the CRM, because it kept setting it back. */
  contested: Instant.optional(),
});
export type FieldState = z.infer<typeof FieldState>;
export type FieldStates = Readonly<Record<string, FieldState>>;

/** What the hub knows of a customer's contact in one CRM: the row `sync#<crm>`. */
export const SyncState = z.looseObject({
  /** Increases with every change of the row. */
  version: z.int().nonnegative().default(0),
  /** The CRM's own id of the contact. */
  record: z.string().optional(),
  fields: z.record(z.string(), FieldState).default({}),
  /** The versions of the source profiles from which the contact was last written: an older state never overwrites it. */
  profiles: z.record(z.string(), z.int()).default({}),
  /** A worker that is about to write the contact, until then, in epoch milliseconds. */
  reservedUntil: z.number().optional(),
  /** Set while a record that was there before becomes the customer's: what it holds is not recorded yet. */
  adopting: z.literal(true).optional(),
  /** Set while the CRM writes the contact for a job of the hub: where both sides stand once it has. */
  bulk: z
    .strictObject({
      job: z.string(),
      fields: z.record(z.string(), FieldState),
      profiles: z.record(z.string(), z.int()),
    })
    .optional(),
  /**
   * Set where activity is logged at a record and nothing else is written to it: for a guest at a record that staff made, and
   * for a person whom the CRM knows by a record of another object.
   */
  activityOnly: z.literal(true).optional(),
  /** The object of the record where it is not the one of contacts: it is read again, since it may have become a contact. */
  object: z.string().optional(),
  /** When the record was deleted in the CRM, or merged into another customer's. */
  goneAt: Instant.optional(),
  /** How often the customer's record was found to belong to another customer, whom the hub may be about to merge. */
  takenTimes: z.int().optional(),
  /** Since when there are interactions of a customer who could not be reached, and so had no contact. */
  unwrittenSince: Instant.optional(),
  /** Since when a person has to decide which of several records is the customer's. */
  undecidedSince: Instant.optional(),
  /** Since when nothing had been written before a person decided. */
  decidedSince: Instant.optional(),
  /** A person has decided that no record of the CRM is the customer's: nothing is looked up before one is made. */
  unmatched: z.literal(true).optional(),
});
export type SyncState = z.infer<typeof SyncState>;

export const unknownState: SyncState = SyncState.parse({});

/** What has to be written, and where both sides stand afterwards. */
export interface FieldPlan {
  /** Null empties a field. */
  readonly write: CrmFields;
  readonly states: FieldStates;
}

const isEmpty = (value: unknown): boolean => comparable(value) === '';
const isSame = (one: unknown, other: unknown): boolean => comparable(one) === comparable(other);
const stored = (value: unknown): FieldState['ours'] => (value === undefined ? undefined : Json.parse(value));

/** A field of which the hub has this value, and no wish to write it. */
export const withoutWrite = (state: FieldState | undefined, ours: unknown): FieldState => ({
  ...state,
  ours: stored(ours),
});

/** Fields of a contact as the hub has them now. */
export interface OurValues {
  readonly values: CrmFields;
  readonly fallbacks: CrmFields;
}

const isWritten = (fields: ContactFields, name: string): boolean =>
  !['crm-owns', 'never', undefined].includes(fields.writes.get(name));

/** After the hub has written a value. */
const afterWrite = (ours: unknown, value: unknown, before?: FieldState): FieldState => ({
  ours: stored(ours),
  theirs: stored(value),
  filled: true,
  unreported: true,
  ...(before?.theirs !== undefined && { before: before.theirs }),
  // Until the CRM tells the time of the write, what is older than the last that is known stays old.
  ...(before?.at !== undefined && { at: before.at }),
  ...(before?.setBack && { setBack: before.setBack }),
});

/** All that the hub has, for a record that does not exist yet. */
export const planCreation = (fields: ContactFields, { values, fallbacks }: OurValues): FieldPlan => {
  const write: Record<string, unknown> = {};
  const states: Record<string, FieldState> = {};
  for (const name of fields.writes.keys()) {
    const value = isWritten(fields, name) ? (values[name] ?? fallbacks[name]) : undefined;
    if (value !== undefined) {
      write[name] = value;
      states[name] = afterWrite(values[name], value);
      // Nobody can have opted out in a record that does not exist yet.
    } else if (fields.optOuts.has(name)) states[name] = { theirs: null };
  }
  return { write, states };
};

/**
 * For a record that was there before the hub: only its empty fields are filled, whatever their `write` says, and those that
 * do not say that the person has opted out here; what both sides have then is where they start from.
 */
export const planAdoption = (
  fields: ContactFields,
  { values, fallbacks }: OurValues,
  held: Pick<HeldRecord, 'fields' | 'modifiedAt'>,
): FieldPlan => {
  const write: Record<string, unknown> = {};
  const states: Record<string, FieldState> = {};
  for (const name of fields.writes.keys()) {
    const theirs = held.fields[name] ?? null;
    const value = isWritten(fields, name) ? (values[name] ?? fallbacks[name]) : undefined;
    const optOut = fields.optOuts.get(name);
    const isMissing = optOut?.(value) !== undefined && optOut(theirs) === undefined;
    if (value !== undefined && (isEmpty(theirs) || isMissing)) {
      write[name] = value;
      states[name] = afterWrite(values[name], value);
    } else states[name] = { ours: stored(values[name]), theirs: stored(theirs), at: held.modifiedAt };
  }
  return { write, states };
};

/**
 * The fields that cannot be judged before the record has been read: nothing is known of where the sides stood. Whether the
 * person has opted out there must be known though the hub has no answer.
 */
export const fieldsWithoutBase = (fields: ContactFields, ours: CrmFields, states: FieldStates): string[] =>
  [...fields.writes].flatMap(([name, write]) =>
    states[name] === undefined &&
    (((write === 'two-way' || write === 'if-empty') && ours[name] !== undefined) ||
      isConsentRead(fields, name))
      ? [name]
      : [],
  );

/** Whether the hub reads opt-outs from a field of the CRM. */
export const isConsentRead = ({ optOuts, readers }: ContactFields, name: string): boolean =>
  optOuts.has(name) && readers.has(name);

/** What changed here since both sides last stood. */
export const planUpdate = (
  fields: ContactFields,
  { values, fallbacks }: OurValues,
  states: FieldStates,
): FieldPlan => {
  const write: Record<string, unknown> = {};
  const next: Record<string, FieldState> = { ...states };
  for (const [name, mode] of fields.writes) {
    if (!isWritten(fields, name)) continue;
    const [value, state] = [values[name], states[name]];
    if (state === undefined ? value === undefined : isSame(value, state.ours)) continue;
    if (state !== undefined && !mayWrite(mode, value, state)) {
      next[name] = { ...state, ours: stored(value) };
      continue;
    }
    write[name] = value ?? fallbacks[name] ?? null;
    next[name] = afterWrite(value, write[name], state);
  }
  return { write, states: next };
};

/**
 * Where both sides stand when the record of a guest becomes that of the person who the guest turned out to be: what stands in
 * for a value that the person lacks stays there. `shown`: the person's values, with those that stand in.
 */
export const takenOverStates = ({ values }: OurValues, shown: OurValues, ofGuest: FieldStates): FieldStates =>
  Object.fromEntries(
    Object.entries(ofGuest).map(([name, state]) => {
      const standsIn = values[name] === undefined && shown.values[name] !== undefined;
      const { filled: _, ...left } = state;
      return [name, standsIn ? withoutWrite(left, undefined) : state];
    }),
  );

/** A field that the CRM contests is left to it; one is emptied, or filled again, only where the hub filled it. */
const mayWrite = (mode: string, value: unknown, state: FieldState): boolean => {
  if (state.contested !== undefined) return false;
  if (value === undefined) return mode !== 'if-empty' && state.filled === true;
  return mode !== 'if-empty' || state.filled === true || isEmpty(state.theirs);
};

/** Where both sides stand after the CRM has answered a write with the values that it holds now. */
export const withAnswer = (
  states: FieldStates,
  held: CrmFields | undefined,
  at: Instant | undefined,
): FieldStates =>
  held === undefined
    ? states
    : Object.fromEntries(
        Object.entries(states).map(([name, state]) => {
          if (state.unreported === undefined || !(name in held)) return [name, state];
          const { unreported: _, ...known } = state;
          return [name, { ...known, theirs: stored(held[name] ?? null), ...(at !== undefined && { at }) }];
        }),
      );

/**
 * What a CRM holds of some fields since `at`. Who made the change does not count: the record is read later than it was
 * reported, and may hold what a person typed meanwhile.
 */
export interface Report {
  readonly fields: CrmFields;
  readonly at: Instant;
}

export interface ReportPlan {
  /** The values of the CRM that become the hub's. */
  readonly inbound: readonly InboundValue[];
  readonly states: FieldStates;
  /** The fields that the CRM has set back so often that they are left to it from now on. */
  readonly contested: readonly string[];
}

const SET_BACK_LIMIT = 3;
const HOUR_MS = 3_600_000;

/**
 * What a report of the CRM changes. A value that is not newer than where both sides stood, or that is what they had, is an
 * echo. Where both have changed, the CRM's value counts, because a person typed it.
 */
export const planReport = (
  fields: ContactFields,
  { values }: Pick<OurValues, 'values'>,
  states: FieldStates,
  { fields: reported, at }: Report,
): ReportPlan => {
  const inbound: InboundValue[] = [];
  const contested: string[] = [];
  const next: Record<string, FieldState> = { ...states };
  for (const name of fields.writes.keys()) {
    if (!(name in reported)) continue;
    const value = reported[name] ?? null;
    const state = states[name];
    if (state?.at !== undefined && at <= state.at) continue;
    const { unreported: _, ...known } = state ?? {};
    const stand = { ...known, theirs: stored(value), at };
    if (state !== undefined && isSame(value, state.theirs)) {
      next[name] = stand;
      continue;
    }
    const isOurs = isSame(value, values[name]) || (state !== undefined && isSame(value, state.ours));
    if (isOurs) {
      next[name] = { ...stand, ours: stored(values[name] ?? state?.ours) };
      continue;
    }
    const { filled, ...theirs } = stand;
    const setBack =
      filled && isSame(value, state?.before) ? withinHour([...(state?.setBack ?? []), at], at) : [];
    if (setBack.length >= SET_BACK_LIMIT) contested.push(name);
    const reader = fields.readers.get(name);
    const one = isEmpty(value) ? undefined : reader?.place(value);
    if (one) inbound.push({ ...one, field: name });
    next[name] = {
      ...theirs,
      ours: stored(one ? reader?.writtenAs(value) : (state?.ours ?? values[name])),
      ...(setBack.length > 0 && { setBack }),
      ...(setBack.length >= SET_BACK_LIMIT && { contested: at }),
    };
  }
  return { inbound, states: next, contested };
};

const withinHour = (instants: readonly Instant[], now: Instant): Instant[] =>
  instants.filter((one) => Date.parse(now) - Date.parse(one) < HOUR_MS);

/** Names of fields that may hold an address or a number of the person, whatever the mapping says of them. */
const ADDRESS_FIELD = /mail|phone|mobile/iu;

/**
 * Whether a reported change may be news: a field that the mapping knows, or that may hold an address, has another value than
 * both sides last had. `digests`: of the reported values. Without any field the change must be looked at.
 */
export const mayHaveChanged = (
  fields: ContactFields,
  states: FieldStates,
  digests: Readonly<Record<string, string>>,
): boolean => {
  const names = Object.keys(digests);
  return (
    names.length === 0 ||
    names.some((name) => {
      if (!fields.writes.has(name)) return ADDRESS_FIELD.test(name);
      const state = states[name];
      return (
        state === undefined || ![state.ours, state.theirs].map(valueDigest).includes(digests[name] ?? '')
      );
    })
  );
};
