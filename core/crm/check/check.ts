import type { ObjectDescription } from '../connector.ts';
import type { CrmMapping } from '../mapping/mapping.ts';
import { checkPart, type MappingFinding, type Part, type Place } from './part.ts';
import type { Narrowed } from './possible.ts';

/** The objects that a mapping writes, each once with its key. */
export const mappedObjects = ({
  contact,
  interactions,
  cases,
}: CrmMapping): { readonly object: string; readonly key: string }[] => [
  ...new Map(
    [contact, ...interactions, ...cases].map(({ object, key }) => [object, { object, key }]),
  ).values(),
];

/** All objects that `checkMapping` compares a mapping with. */
export const describedObjects = (mapping: CrmMapping): string[] => [
  ...new Set([
    ...mappedObjects(mapping).map(({ object }) => object),
    ...Object.values(mapping.contact.links).map(({ object }) => object),
    ...mapping.cases.flatMap(({ messages }) => messages?.object ?? []),
  ]),
];

/**
 * Compares a mapping with what its CRM says of the objects that it writes. An object that is absent from `described` is one
 * that the CRM does not have, or does not show to the hub's user. Where nothing describes the CRM, there is nothing to compare.
 */
export const checkMapping = (
  connector: Place['connector'],
  { contact, interactions, cases }: CrmMapping,
  described: ReadonlyMap<string, ObjectDescription>,
): MappingFinding[] => {
  if (connector.describesNothing) return unmatched(contact);
  const at = (
    { object }: { readonly object: string },
    path: Place['path'],
    more: Pick<Place, 'subject' | 'narrowed'>,
    part: Part,
  ): MappingFinding[] => {
    const description = described.get(object);
    return description === undefined
      ? [absent(connector.title, object, path)]
      : checkPart({ ...{ connector, path, object, description }, ...more }, part);
  };
  return [
    ...at(
      contact,
      ['contact'],
      { subject: 'contact', narrowed: {} },
      {
        ...{ ...contact, isCreated: contact.create !== 'never' },
        links: Object.fromEntries(Object.entries(contact.links).map(([name, one]) => [name, one.object])),
      },
    ),
    ...unmatched(contact),
    ...importless(connector, contact),
    ...companyFields(connector.title, contact, described),
    ...interactions.flatMap((rule, position) =>
      at(
        rule,
        ['interactions', position],
        { subject: 'interaction', narrowed: narrowedBy(rule.when) },
        {
          ...{ ...rule, isCreated: true },
          links: Object.fromEntries(Object.keys(rule.links).map((name) => [name, contact.object])),
        },
      ),
    ),
    ...cases.flatMap((rule, position) => {
      const path = ['cases', position];
      const links = Object.fromEntries(Object.keys(rule.links).map((name) => [name, contact.object]));
      const more = { subject: 'interaction', narrowed: narrowedBy(rule.when) } as const;
      const { messages } = rule;
      return [
        ...at(rule, path, more, { ...rule, links, isCreated: true }),
        ...(rule.closed === undefined ? [] : at(rule, [...path, 'closed'], more, closing(rule))),
        ...(messages === undefined
          ? []
          : at(
              messages,
              [...path, 'messages'],
              { subject: 'interaction', narrowed: {} },
              {
                ...{ ...messages, isCreated: messages.object !== rule.object },
                links: { [messages.parent]: rule.object },
              },
            )),
      ];
    }),
  ];
};

/** What is written to a case when it is closed here. */
const closing = ({ object, closed }: CrmMapping['cases'][number]): Part => {
  const [value] = closed?.values ?? [];
  return {
    fields:
      closed && value !== undefined ? { [closed.field]: { value, transform: [], write: 'always' } } : {},
    ...{ object, links: {}, isCreated: false },
  };
};

/** The texts that a pattern lists for a path, at its top level. */
const narrowedBy = (when: Readonly<Record<string, unknown>>): Narrowed =>
  Object.fromEntries(
    Object.entries(when).flatMap(([name, values]) =>
      Array.isArray(values) && values.every((one) => typeof one === 'string')
        ? [[name, values] as const]
        : [],
    ),
  );

const absent = (title: string, object: string, path: Place['path']): MappingFinding => ({
  ...{ path: [...path, 'object'], object, ok: false },
  says: `${title} has no object ${object}, or does not show it to the user of the hub.`,
  advice: 'Grant the permission on the object, or correct its name.',
});

/** A look-up by a user id needs a field that holds it. */
const unmatched = ({ match, fields, object }: CrmMapping['contact']): MappingFinding[] =>
  match.includes('user-id') &&
  Object.values(fields).every(({ from }) => from !== 'identifiers.user-id.primary')
    ? [
        {
          ...{ path: ['contact', 'match'], object, ok: true },
          says: 'No field holds the user id, so that no record is found by it.',
          advice: 'Map a field from identifiers.user-id.primary, or leave user-id out.',
        },
      ]
    : [];

const importless = (
  { title, importSets }: Place['connector'],
  { importSet, object }: CrmMapping['contact'],
): MappingFinding[] =>
  importSet === undefined || importSets
    ? []
    : [
        {
          ...{ path: ['contact', 'importSet'], object, ok: false },
          says: `${title} has no import sets.`,
          advice: 'Leave the key out.',
        },
      ];

/** The fields by which companies are found. */
const companyFields = (
  title: string,
  { links, object: contacts }: CrmMapping['contact'],
  described: ReadonlyMap<string, ObjectDescription>,
): MappingFinding[] =>
  Object.entries(links).flatMap(([name, { object, field }]) => {
    const path = ['contact', 'links', name];
    const description = described.get(object);
    if (description === undefined) return [{ ...absent(title, object, path), object: contacts }];
    if (description.has(field)) return [];
    const says = `${object}.${field} does not exist, or the user of the hub may not see it; no company is found by it.`;
    const advice = 'Correct the name, or allow the user of the hub to see the field.';
    return [{ ...{ path: [...path, 'field'], object: contacts, field, says, advice }, ok: false }];
  });
