import * as z from 'zod';
import type { ConsentStatus } from '../../consent/consent.ts';
import { HubError } from '../../errors.ts';
import { tolerant } from '../../formats/tolerant.ts';
import type { Interaction } from '../../interaction/interaction.ts';
import { matches, parsePattern } from '../../triggers/pattern/index.ts';
import {
  compileFallbacks,
  compileFields,
  compileOptOuts,
  compileReaders,
  type FieldMapper,
  type FieldReader,
  FieldRule,
  type PlacedValue,
  type Write,
} from './fields.ts';
import { HttpSection } from './http.ts';
import { pathFault, type Subject, targetFault } from './paths.ts';

const Pattern = z.record(z.string(), z.json());

/** The fields of a record of `subject`, whose paths must exist. */
const fieldsOf = (subject: Subject) =>
  z.record(z.string(), FieldRule).check(({ value, issues }) => {
    for (const [name, { from, fallback, to }] of Object.entries(value))
      for (const [key, path] of Object.entries({ from, fallback, to })) {
        if (path === undefined) continue;
        const message = key === 'to' ? targetFault(path) : pathFault(path, subject);
        if (message !== undefined) issues.push({ code: 'custom', path: [name, key], message, input: path });
      }
  });

/** The company whose field has the domain of the contact's e-mail address; those of free mail link nobody. */
const CompanyLink = z.strictObject({
  object: z.string().describe('the object of companies'),
  match: z
    .literal('email-domain')
    .describe("by the domain of the contact's e-mail address, unless it is one of free mail"),
  field: z.string().describe('the field of the company that holds its web site or domain'),
  create: z
    .literal(false, { error: 'expected false: the hub links companies that the CRM has, and creates none' })
    .default(false)
    .describe('companies are never created'),
});

const Key = z.string().describe("the unique text field, of 64 characters or more, that holds the hub's key");

const Contact = z.strictObject({
  object: z.string().describe('the object of contacts, as the API of the CRM names it'),
  key: Key,
  match: z
    .array(z.enum(['email', 'phone', 'user-id']))
    .default(['email', 'phone'])
    .describe(
      'by which identifiers a record that is there already is adopted, strongest first; []: never looks',
    ),
  ambiguous: z
    .enum(['review', 'newest', 'oldest'])
    .default('review')
    .describe('which of several matching records is adopted; review: a person decides'),
  create: z
    .enum(['reachable', 'always', 'never'])
    .default('reachable')
    .describe('who gets a new record; reachable: who has an e-mail address or a phone number'),
  when: Pattern.optional().describe('a pattern on the customer: who is synchronised; everybody if left out'),
  recreate: z.boolean().default(false).describe('whether a record that was deleted in the CRM is made again'),
  importSet: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/u)
    .optional()
    .describe(
      'in ServiceNow the table of an import set, by whose transform map contacts are written; if left out they are written to their own table',
    ),
  fields: fieldsOf('contact').describe("the fields by the names of the CRM's API"),
  links: z
    .record(z.string(), CompanyLink)
    .default({})
    .describe(
      'by the name of the link: the object to which a contact belongs by the domain of its e-mail address',
    ),
});

const InteractionRule = z.strictObject({
  when: Pattern.describe('a pattern on the interaction; the first rule that matches counts'),
  object: z.string().describe('the object of the activity, as the API of the CRM names it'),
  key: Key,
  fields: fieldsOf('interaction').describe("the fields by the names of the CRM's API"),
  links: z
    .record(z.string(), z.literal('contact'))
    .default({})
    .describe(
      'links to the contact: in Salesforce a reference field, or of an EmailMessage what the contact is to it, in HubSpot the name of the object or an association type',
    ),
  also: z.boolean().default(false).describe('whether the rule also applies where an earlier one does'),
});

const CaseMessages = z.strictObject({
  object: z
    .string()
    .describe('the object of a message; in ServiceNow the case itself, whose `comments` field is a journal'),
  parent: z
    .string()
    .describe(
      'what leads to the case: in Salesforce and ServiceNow a reference field, or in ServiceNow `sys_id` for the case itself; in HubSpot the object of the case',
    ),
  fields: fieldsOf('interaction').describe("the fields by the names of the CRM's API"),
});

const CaseRule = z.strictObject({
  when: Pattern.describe('a pattern on the interaction: what begins a case where the conversation has none'),
  object: z.string().describe('the object of the case, as the API of the CRM names it'),
  key: Key,
  fields: fieldsOf('interaction').describe('the fields of a new case'),
  links: z
    .record(z.string(), z.literal('contact'))
    .default({})
    .describe('links to the contact, as those of an activity'),
  messages: CaseMessages.optional().describe(
    "a record for each following message of the conversation; it has no field for the hub's key",
  ),
  closed: z
    .strictObject({
      field: z.string().describe('the field that says whether the case is closed'),
      values: z
        .array(z.union([z.string(), z.number(), z.boolean()]))
        .min(1)
        .describe(
          'the values with which the CRM closes the conversation; the first is written when it is closed here',
        ),
    })
    .optional()
    .describe('how a case is closed'),
});

/** `mappings/crm/<crm>.yaml`: which field of the CRM gets what. */
export const CrmMapping = z
  .strictObject({
    contact: Contact.describe('the contact of each customer'),
    interactions: z.array(InteractionRule).default([]).describe('the activities, a rule each'),
    changes: z
      .record(z.string(), z.array(z.string()).min(1))
      .default({})
      .describe(
        'of a CRM that the hub asks for changes: the objects of contacts, such as cases, that it follows beside the contact, each with the fields that tell',
      ),
    cases: z
      .array(CaseRule)
      .default([])
      .describe('one record per open conversation; the first rule that matches counts'),
    http: HttpSection.optional().describe(
      'how a CRM without a connector of its own is spoken to (docs/crm/http-crm.md)',
    ),
  })
  .check(({ value: { contact, interactions, changes, cases, http }, issues }) => {
    if (http === undefined) return;
    const expect = (isThere: boolean, path: PropertyKey[], message: string): void => {
      if (!isThere) issues.push({ code: 'custom', path, message, input: http });
    };
    for (const object of new Set([contact, ...interactions, ...cases].map((one) => one.object)))
      expect(
        Object.hasOwn(http.objects, object),
        ['http', 'objects', object],
        'expected how this object is written',
      );
    for (const object of new Set([contact.object, ...interactions.map((one) => one.object)]))
      expect(
        isWritten(http, object),
        ['http', 'objects', object],
        'expected upsert, or create with find.field',
      );
    for (const object of Object.keys(changes))
      for (const how of ['changes', 'read'] as const)
        expect(
          http.objects[object]?.[how] !== undefined,
          ['http', 'objects', object, how],
          `changes names ${object}, so expected how it is read`,
        );
    for (const { messages } of cases) {
      if (messages === undefined) continue;
      const { create, find } = http.objects[messages.object] ?? {};
      expect(
        create !== undefined && find?.field !== undefined,
        ['http', 'objects', messages.object],
        'expected create, and find.field by which the messages of a case are found',
      );
    }
    const { find, read } = http.objects[contact.object] ?? {};
    for (const by of contact.match)
      expect(
        find?.[by === 'user-id' ? 'field' : by] !== undefined,
        ['http', 'objects', contact.object, 'find'],
        `contact.match names ${by}, so expected a look-up by it`,
      );
    expect(read !== undefined, ['http', 'objects', contact.object, 'read'], 'expected how a contact is read');
  });
export type CrmMapping = z.infer<typeof CrmMapping>;

const isWritten = ({ objects }: HttpSection, object: string): boolean => {
  const section = objects[object];
  return section === undefined || section.upsert !== undefined || section.create !== undefined;
};

/** An interaction as mappings name it; `proof` is `claimed` if nobody vouches for any of its identifiers. */
export interface MappedInteraction extends Interaction {
  readonly proof: 'proven' | 'claimed';
}

/** A value of a CRM's field that becomes the hub's, with its place. */
export interface InboundValue extends PlacedValue {
  readonly field: string;
}

/** The fields of a contact, ready to use. */
export interface ContactFields {
  /** Who writes each field. */
  readonly writes: ReadonlyMap<string, Write>;
  /** What the hub has for its fields. */
  readonly values: FieldMapper;
  readonly fallbacks: FieldMapper;
  readonly readers: ReadonlyMap<string, FieldReader>;
  /** By field that holds a consent, the opt-out that a value of it means. */
  readonly optOuts: ReadonlyMap<string, (value: unknown) => ConsentStatus | undefined>;
}

interface CompiledRule {
  readonly object: string;
  readonly key: string;
  readonly fields: FieldMapper;
  /** The names of its links to the contact. */
  readonly links: readonly string[];
}

/** How the conversations of customers become cases. */
export interface CompiledCase {
  readonly object: string;
  readonly key: string;
  readonly fields: FieldMapper;
  readonly links: readonly string[];
  readonly messages:
    | { readonly object: string; readonly parent: string; readonly fields: FieldMapper }
    | undefined;
  readonly closed:
    | { readonly field: string; readonly values: readonly (string | number | boolean)[] }
    | undefined;
  /** Whether an interaction begins such a case. */
  readonly begins: (interaction: MappedInteraction) => boolean;
}

export interface CompiledMapping {
  /** The mapping as the file has it. */
  readonly source: CrmMapping;
  readonly contact: Pick<
    z.infer<typeof Contact>,
    'object' | 'key' | 'match' | 'ambiguous' | 'create' | 'recreate' | 'importSet' | 'links'
  > & {
    readonly fields: ContactFields;
    /** The fields that hold identifiers, by the type of these. */
    readonly identifierFields: ReadonlyMap<string, string>;
    /** Whether a customer, by its view, is synchronised. */
    readonly includes: (view: object) => boolean;
  };
  readonly cases: readonly CompiledCase[];
  /** Where interactions may have gone, and the field that holds their ids: each object once. */
  readonly interactionObjects: readonly { readonly object: string; readonly key: string }[];
  /** The rules of an interaction: the first whose `when` matches, and those with `also`. */
  readonly forInteraction: (interaction: MappedInteraction) => readonly CompiledRule[];
  readonly http: HttpSection | undefined;
  /** The objects whose changes the hub asks for, the contact first, each with the fields that it compares. */
  readonly followed: ReadonlyMap<string, readonly string[]>;
}

/** Makes a stored mapping ready. Throws `HubError` `invalid-configuration` naming the CRM's file. */
export const compileMapping = (crm: string, raw: unknown): CompiledMapping => {
  const parsed = tolerant(CrmMapping).safeParse(raw);
  if (!parsed.success)
    throw new HubError(
      'invalid-configuration',
      `mappings/crm/${crm}.yaml: ${z.prettifyError(parsed.error)}`,
      { retry: 'later', cause: parsed.error },
    );
  const { contact, interactions, changes, cases, http } = parsed.data;
  const rules = interactions.map(({ when, object, key, fields, links, also }) => ({
    ...{ when: parsePattern(when), also, object, key },
    ...{ fields: compileFields(fields), links: Object.keys(links) },
  }));
  const included = contact.when === undefined ? undefined : parsePattern(contact.when);
  return {
    source: parsed.data,
    contact: {
      ...contact,
      fields: {
        writes: new Map(Object.entries(contact.fields).map(([name, { write }]) => [name, write])),
        values: compileFields(contact.fields),
        fallbacks: compileFallbacks(contact.fields),
        readers: compileReaders(contact.fields),
        optOuts: compileOptOuts(contact.fields),
      },
      identifierFields: new Map(
        Object.entries(contact.fields).flatMap(([name, { from = '' }]) => {
          const [, type] = /^identifiers\.([a-z0-9-]+)\.primary$/u.exec(from) ?? [];
          return type === undefined ? [] : [[type, name] as const];
        }),
      ),
      includes: (view) => included === undefined || matches(included, view),
    },
    http,
    followed: new Map<string, readonly string[]>(
      Object.entries({
        [contact.object]: Object.keys(contact.fields),
        ...Object.fromEntries(
          cases.flatMap(({ object, closed }) => (closed ? [[object, [closed.field]]] : [])),
        ),
        ...changes,
      }).filter(([object]) => http === undefined || http.objects[object]?.changes !== undefined),
    ),
    cases: cases.map(compileCase),
    interactionObjects: [
      ...new Map([...cases, ...rules].map(({ object, key }) => [object, { object, key }])).values(),
    ],
    forInteraction(interaction) {
      const matching = rules.filter(({ when }) => matches(when, interaction));
      const first = matching.find(({ also }) => !also);
      return matching.filter((rule) => rule.also || rule === first);
    },
  };
};

const compileCase = ({
  when,
  object,
  key,
  fields,
  links,
  messages,
  closed,
}: z.infer<typeof CaseRule>): CompiledCase => {
  const pattern = parsePattern(when);
  return {
    ...{ object, key, closed },
    ...{ fields: compileFields(fields), links: Object.keys(links) },
    messages: messages && { ...messages, fields: compileFields(messages.fields) },
    begins: (interaction) => matches(pattern, interaction),
  };
};
