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

/** The records of an answer; what is no record, or has no id, is left out. */
export const heldIn = (
  answer: Answer,
  { record: rules }: Pick<HttpObject, 'record'>,
  records: string,
  fields: readonly string[],
): HeldRecord[] =>
  listOf(placeOf(records, { ...answer })).flatMap((record) => {
    if (!isRecord(record)) return [];
    const read = reader(record);
    const id = read(rules.id);
    if ((typeof id !== 'string' && typeof id !== 'number') || id === '') return [];
    const texts = (place: string | undefined): string[] =>
      place === undefined
        ? []
        : listOf(read(place))
            .filter((one) => typeof one === 'string' && one !== '')
            .map(String);
    const createdAt = timeAt(read, rules.createdAt, answer);
    return [
      {
        id: String(id),
        fields: Object.fromEntries(
          fields.map((name) => [
            name,
            rules.fields[name] === undefined ? record[name] : read(rules.fields[name]),
          ]),
        ),
        ...{ emails: texts(rules.emails), phones: texts(rules.phones) },
        byStaff: typeof rules.staff === 'boolean' ? rules.staff : matches(parsePattern(rules.staff), record),
        ...{ createdAt, modifiedAt: timeAt(read, rules.modifiedAt ?? rules.createdAt, answer) },
      },
    ];
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
