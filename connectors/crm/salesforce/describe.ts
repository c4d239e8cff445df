import * as z from 'zod';
import type { Call, FieldDescription, ObjectDescription } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { entryOf } from '../../../core/formats/payload.ts';
import { chunked, composite, incomplete, LIGHT_PER_CALL, type SubAnswer } from './rest/composite.ts';
import { codeOf, faultOfAnswer, refusalsOf } from './rest/faults.ts';
import type { Client } from './rest/session.ts';

const flag = z.boolean().default(false);
const Field = z.looseObject({
  name: z.string(),
  type: z.string(),
  length: z.int().nullish(),
  ...{ createable: flag, updateable: flag, nillable: flag, defaultedOnCreate: flag },
  ...{ externalId: flag, idLookup: flag, restrictedPicklist: flag },
  filterable: z.boolean().default(true),
  referenceTo: z.array(z.string()).nullish(),
  picklistValues: z.array(z.looseObject({ value: z.string(), active: z.boolean().default(true) })).nullish(),
});
type Field = z.infer<typeof Field>;

const Described = z.looseObject({ fields: z.array(Field) });

/** What a session remembers of an object. */
export interface Known {
  readonly fields: ObjectDescription;
  /** E-mail addresses and phone numbers of the person, the primary one first. */
  readonly emails: readonly string[];
  readonly phones: readonly string[];
  /** E-mail fields by which can be searched: encrypted ones cannot. */
  readonly searchable: ReadonlySet<string>;
  /** Fields that take a value in a new record only. */
  readonly createOnly: ReadonlySet<string>;
  /** The objects to which fields refer. */
  readonly targets: ReadonlyMap<string, readonly string[]>;
}

export interface Objects {
  describe(objects: readonly string[], call: Call): Promise<ReadonlyMap<string, Known>>;
  /**
   * An object that the org need not have; that it is not there is remembered as long as the session lasts. `beside`: another
   * one that is described in the same request.
   */
  optional(object: string, beside: string, call: Call): Promise<Known | undefined>;
  /** Rejects with a `CrmFault` of the object if it is not there. */
  of(object: string, call: Call): Promise<Known>;
  forget(object: string): void;
}

/** The descriptions of objects, each read once in a session. */
export const objectsOf = (client: Client): Objects => {
  const known = new Map<string, Known>();
  const absences = new Set<string>();
  const describe: Objects['describe'] = async (objects, call) => {
    const missing = [...new Set(objects)].filter((object) => !known.has(object));
    for (const some of chunked(missing, LIGHT_PER_CALL)) {
      const requests = some.map((object) => ({
        ...{ method: 'GET' as const, path: `/sobjects/${encodeURIComponent(object)}/describe` },
      }));
      const answers = await composite(client, requests, call);
      for (const [at, object] of some.entries()) {
        const one = knownOf(answers[at]);
        if (one !== undefined) known.set(object, one);
      }
    }
    return new Map(objects.flatMap((object) => entry(object, known.get(object))));
  };
  return {
    describe,
    async optional(object, beside, call) {
      if (absences.has(object)) return undefined;
      const one = (await describe([beside, object], call)).get(object);
      if (one === undefined) absences.add(object);
      return one;
    },
    async of(object, call) {
      const one = (await describe([object], call)).get(object);
      if (one === undefined) throw absent(object);
      return one;
    },
    forget: (object) => {
      known.delete(object);
    },
  };
};

const entry = (object: string, one: Known | undefined): [string, Known][] =>
  one === undefined ? [] : [[object, one]];

const absent = (object: string): CrmFault =>
  new CrmFault(
    'salesforce-invalid-type',
    `Salesforce has no object ${object}, or the integration user may not see it. Grant the permission or correct mappings/crm/salesforce.yaml.`,
    { scope: 'object', why: 'setup' },
  );

const refusalsOfAbsence: ReadonlySet<string> = new Set(['NOT_FOUND', 'INVALID_TYPE', 'INSUFFICIENT_ACCESS']);

/** Undefined if the object is not there. */
const knownOf = (answer: SubAnswer | undefined): Known | undefined => {
  if (answer === undefined) throw incomplete();
  const fault = faultOfAnswer(answer);
  const [refusal] = refusalsOf(answer.body);
  if (fault !== undefined && refusal !== undefined && refusalsOfAbsence.has(codeOf(refusal)))
    return undefined;
  if (fault !== undefined) throw fault;
  const described = Described.safeParse(answer.body);
  if (!described.success) throw incomplete();
  const { fields } = described.data;
  return {
    fields: new Map(fields.map((field) => [field.name, descriptionOf(field)])),
    emails: named(fields, 'email', ['Email', 'PersonEmail']),
    phones: named(fields, 'phone', ['Phone', 'MobilePhone']),
    searchable: new Set(fields.filter(({ filterable }) => filterable).map(({ name }) => name)),
    targets: new Map(fields.map(({ name, referenceTo }) => [name, referenceTo ?? []])),
    createOnly: new Set(
      fields.filter(({ createable, updateable }) => createable && !updateable).map(({ name }) => name),
    ),
  };
};

/** Numbers that are somebody else's, or a machine's. */
const notOfPerson = /fax|assistant/iu;

const named = (fields: readonly Field[], type: string, first: readonly string[]): string[] => {
  const names = fields
    .filter((one) => one.type === type && !notOfPerson.test(one.name))
    .map(({ name }) => name);
  return [...first.filter((name) => names.includes(name)), ...names.filter((name) => !first.includes(name))];
};

const text = 'text' as const;
const number = 'number' as const;
const types: Readonly<Record<string, FieldDescription['type']>> = {
  ...{ string: text, textarea: text, email: text, phone: text, url: text, id: text },
  ...{ encryptedstring: text, combobox: text },
  ...{ int: number, long: number, double: number, currency: number, percent: number },
  ...{ boolean: 'boolean', date: 'date', datetime: 'datetime', reference: 'reference' },
  ...{ picklist: 'choice', multipicklist: 'choice' },
};

const descriptionOf = (field: Field): FieldDescription => ({
  type: entryOf(types, field.type) ?? 'other',
  ...(typeof field.length === 'number' && field.length > 0 && { length: field.length }),
  ...(field.restrictedPicklist && {
    choices: (field.picklistValues ?? []).filter(({ active }) => active).map(({ value }) => value),
  }),
  required: field.createable && !field.nillable && !field.defaultedOnCreate,
  writable: field.createable || field.updateable,
  isKey: field.externalId || field.idLookup,
});
