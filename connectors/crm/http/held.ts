import type { HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import type { HttpObject } from '../../../core/crm/mapping/http.ts';
import { readTime } from '../../../core/formats/payload.ts';
import { e164 } from '../../../core/identity/normalise.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import { matches, parsePattern } from '../../../core/triggers/pattern/index.ts';
import type { Answer } from './answer.ts';
import { listOf, placeOf } from './templates.ts';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A record, and what the answer has of it. */
interface Sourced {
  readonly held: HeldRecord;
  readonly source: Readonly<Record<string, unknown>>;
}

/** The records of an answer that are in use; what is no record, or has no id, is left out. */
export const heldIn = (
  answer: Answer,
  section: Pick<HttpObject, 'record'>,
  records: string,
  fields: readonly string[],
): HeldRecord[] => {
  const { gone } = section.record;
  const pattern = gone === undefined ? undefined : parsePattern(gone);
  return heldWithSource(answer, section, records, fields).flatMap(({ held, source }) =>
    pattern !== undefined && matches(pattern, source) ? [] : [held],
  );
};

/** All records of an answer, also those that are not in use any more. */
export const heldWithSource = (
  answer: Answer,
  { record: rules }: Pick<HttpObject, 'record'>,
  records: string,
  fields: readonly string[],
): Sourced[] =>
  listOf(placeOf(records, { ...answer })).flatMap((source) => {
    if (!isRecord(source)) return [];
    const read = reader(source);
    const id = read(rules.id);
    if ((typeof id !== 'string' && typeof id !== 'number') || id === '') return [];
    const texts = (place: string | undefined): string[] =>
      place === undefined
        ? []
        : listOf(read(place))
            .filter((one) => typeof one === 'string' && one !== '')
            .map(String);
    const createdAt = timeAt(read, rules.createdAt, answer);
    const contact = rules.contact === undefined ? undefined : read(rules.contact);
    const held: HeldRecord = {
      id: String(id),
      fields: Object.fromEntries(
        fields.map((name) => [
          name,
          rules.fields[name] === undefined ? source[name] : read(rules.fields[name]),
        ]),
      ),
      ...{ emails: texts(rules.emails), phones: texts(rules.phones) },
      ...((typeof contact === 'string' || typeof contact === 'number') &&
        contact !== '' && { contact: String(contact) }),
      byStaff: typeof rules.staff === 'boolean' ? rules.staff : matches(parsePattern(rules.staff), source),
      ...{ createdAt, modifiedAt: timeAt(read, rules.modifiedAt ?? rules.createdAt, answer) },
    };
    return [{ held, source }];
  });

/** A place in a record: a dotted path in it, or a template over `record`. */
const reader =
  (record: Readonly<Record<string, unknown>>) =>
  (place: string): unknown =>
    /\{\{|\{%/u.test(place) ? placeOf(place, { record }) : placeOf(`record.${place}`, { record });

/** Without a time of its own a record is of the time of the answer. */
const timeAt = (
  read: (place: string) => unknown,
  place: string | undefined,
  { headers }: Answer,
): Instant => {
  const value = place === undefined ? undefined : readTime(read(place));
  return value ?? readTime(headers['date']) ?? '1970-01-01T00:00:00.000Z';
};

/** Whether a record holds a value by which it was looked for. */
export const holds = (record: HeldRecord, by: LookUp, value: string): boolean => {
  if (by === 'email') return record.emails.some((one) => one.trim().toLowerCase() === value);
  if (by === 'phone') return record.phones.some((one) => e164(one) === value);
  const held = record.fields[by.field];
  return held !== undefined && held !== null && String(held) === value;
};
