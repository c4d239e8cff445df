import { nearestWord } from '../../config/nearest.ts';
import type { CrmConnector, ObjectDescription } from '../connector.ts';
import type { FieldRule } from '../mapping/fields.ts';
import type { Subject } from '../mapping/paths.ts';
import { type Misfit, misfits } from './fits.ts';
import { type Narrowed, type Possible, possibleValues, unreachedKeys } from './possible.ts';

/** What does not fit between a mapping and its CRM. */
export interface MappingFinding {
  /** The key in `mappings/crm/<crm>.yaml`. */
  readonly path: readonly (string | number)[];
  readonly object: string;
  readonly field?: string;
  /** What is the case, and why the CRM refuses it. */
  readonly says: string;
  /** What to do. */
  readonly advice: string;
  /** False if the CRM refuses every record of the object, or every record that has the value. */
  readonly ok: boolean;
}

/** Characters of the key of a contact, `<hub>:<customer id>`, and of an interaction. */
const KEY_LENGTH = 64;

export interface Place {
  readonly connector: Pick<
    CrmConnector,
    'id' | 'title' | 'values' | 'hasLink' | 'describesNothing' | 'importSets'
  >;
  readonly path: readonly (string | number)[];
  readonly object: string;
  readonly subject: Subject;
  readonly narrowed: Narrowed;
  readonly description: ObjectDescription;
}

/** One record of the mapping: the contact, or one rule of the others. */
export interface Part {
  readonly object: string;
  /** The field that holds the hub's key, if the object has one. */
  readonly key?: string;
  readonly fields: Readonly<Record<string, FieldRule>>;
  /** The objects to which links lead, by their names. */
  readonly links: Readonly<Record<string, string>>;
  readonly isCreated: boolean;
}

/** What of one record of the mapping its CRM refuses. */
export const checkPart = (place: Place, part: Part): MappingFinding[] => [
  ...(part.key === undefined ? [] : checkKey(place, part.key)),
  ...Object.entries(part.fields).flatMap(([name, rule]) => checkField(place, name, rule)),
  ...Object.entries(part.links).flatMap(([name, target]) => checkLink(place, name, target)),
  ...(part.isCreated ? checkRequired(place, part) : []),
];

const finding = (
  { object, path }: Place,
  key: readonly (string | number)[],
  field: string | undefined,
  { says, advice, ok }: Misfit,
): MappingFinding => ({
  ...{ path: [...path, ...key], object, says, advice, ok },
  ...(field !== undefined && { field }),
});

const checkKey = (place: Place, key: string): MappingFinding[] => {
  const { object, description, connector } = place;
  const field = description.get(key);
  const wrong = (says: string, advice: string) => [
    finding(place, ['key'], key, { says: `${object}.${key} ${says}`, advice, ok: false }),
  ];
  if (field === undefined)
    return wrong(
      'does not exist, or the user of the hub may not see it; without it no record can be written.',
      `Create it in ${connector.title} (\`hub connect ${connector.id} --create-fields\`), and allow the user of the hub to read and edit it.`,
    );
  if (!field.writable)
    return wrong('cannot be written by the user of the hub.', 'Allow it to edit the field.');
  if (!field.isKey)
    return wrong(
      'is not unique, so that a record cannot be found by it.',
      'Make it unique and an external id, or name a field that is.',
    );
  if (field.type !== 'text') return wrong('is no text.', 'Name a text field that is unique.');
  return field.length !== undefined && field.length < KEY_LENGTH
    ? wrong(
        `takes ${field.length} characters, and keys of the hub have up to ${KEY_LENGTH}.`,
        `Make it ${KEY_LENGTH} characters long.`,
      )
    : [];
};

const isWritten = ({ write }: FieldRule): boolean => write !== 'crm-owns' && write !== 'never';

const checkField = (place: Place, name: string, rule: FieldRule): MappingFinding[] => {
  const { description, object, connector, subject, narrowed } = place;
  const field = description.get(name);
  const says = (one: Misfit): Misfit => ({ ...one, says: `${object}.${name} ${one.says}.` });
  if (field === undefined) {
    const nearest = nearestName(name, [...description.keys()]);
    const advice = `${nearest === undefined ? '' : `Did you mean ${nearest}? `}Create the field or allow the user of the hub to see it, correct its name, or leave it out.`;
    const missing =
      'does not exist, or the user of the hub may not see it; the CRM refuses every record that names it';
    return [finding(place, ['fields', name], name, says({ says: missing, advice, ok: false }))];
  }
  if (!isWritten(rule)) return [];
  if (!field.writable) {
    const advice = 'Allow the user of the hub to edit it, or set `write: never` or `write: crm-owns`.';
    return [finding(place, ['fields', name], name, says({ says: 'cannot be written', advice, ok: false }))];
  }
  const unreached = unreachedKeys(rule, subject);
  const own = misfits(possibleValues(rule, subject, narrowed), field, connector.values);
  const fallback =
    rule.fallback === undefined ? [] : misfits(fallbackValues(rule, subject), field, connector.values);
  return [
    ...own,
    ...fallback.filter((one) => own.every(({ says: other }) => other !== one.says)),
    ...(unreached.length === 0
      ? []
      : [
          {
            says: `is looked up by ${unreached.join(', ')}, which ${rule.from} never is`,
            advice: 'Correct the keys of the `lookup`.',
            ok: true,
          },
        ]),
  ].map((one) => finding(place, ['fields', name], name, says(one)));
};

const fallbackValues = ({ fallback, transform }: FieldRule, subject: Subject): Possible =>
  possibleValues({ from: fallback, transform }, subject);

const nearestName = (name: string, known: readonly string[]): string | undefined => {
  const byLower = new Map(known.map((one) => [one.toLowerCase(), one]));
  return byLower.get(nearestWord(name, [...byLower.keys()]) ?? '');
};

const checkLink = (place: Place, name: string, target: string): MappingFinding[] => {
  const { connector, object, description } = place;
  if (connector.hasLink(object, name, target, description)) return [];
  return [
    finding(place, ['links', name], name, {
      says: `${connector.title} has no link ${name} from ${object} to ${target}; every record with it is refused.`,
      advice: 'Correct the name of the link.',
      ok: false,
    }),
  ];
};

/** Fields without which the CRM makes no record. */
const checkRequired = (place: Place, { key, fields, links }: Part): MappingFinding[] =>
  [...place.description].flatMap(([name, { required }]) => {
    if (!required || name === key || Object.hasOwn(links, name)) return [];
    const rule = fields[name];
    if (rule === undefined || !isWritten(rule))
      return [
        finding(place, ['fields'], name, {
          says: `${place.object}.${name} is required in a new record, and the mapping gives it no value.`,
          advice: `Map it, for example \`${name}: { value: … }\`, or make it optional in the CRM.`,
          ok: false,
        }),
      ];
    const { isCertain } = possibleValues(rule, place.subject, place.narrowed);
    const isFilled =
      isCertain || (rule.fallback !== undefined && fallbackValues(rule, place.subject).isCertain);
    return isFilled
      ? []
      : [
          finding(place, ['fields', name], name, {
            says: `${place.object}.${name} is required, and ${rule.from ?? 'its rule'} may have no value; the CRM then refuses the new record.`,
            advice: 'Add a `fallback`, or `transform: [{ default: … }]`.',
            ok: true,
          }),
        ];
  });
