import type { PropertyCreate } from '@hubspot/api-client/lib/codegen/crm/properties/models/PropertyCreate.js';
import * as z from 'zod';
import type { Call, FieldDescription, ObjectDescription } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { entryOf } from '../../../core/formats/payload.ts';
import { faultOf, ofObject, setupFault } from './faults.ts';
import { type Api, type Question, VERSION } from './request.ts';

const Property = z.looseObject({
  name: z.string(),
  type: z.string(),
  fieldType: z.string().default(''),
  groupName: z.string().optional(),
  options: z.array(z.looseObject({ value: z.string() })).default([]),
  hasUniqueValue: z.boolean().default(false),
  calculated: z.boolean().default(false),
  externalOptions: z.boolean().default(false),
  modificationMetadata: z.looseObject({ readOnlyValue: z.boolean().default(false) }).optional(),
});
type Property = z.infer<typeof Property>;
const Properties = z.looseObject({ results: z.array(Property) });

/** The longest text that HubSpot keeps in a property. */
const TEXT_LENGTH = 65_536;

/** The properties without which HubSpot makes no record; its API does not tell. */
const required: ReadonlySet<string> = new Set(['hs_timestamp']);

const types: Readonly<Record<string, FieldDescription['type']>> = {
  string: 'text',
  phone_number: 'text',
  number: 'number',
  bool: 'boolean',
  date: 'date',
  datetime: 'datetime',
  enumeration: 'choice',
};

const describeProperty = (property: Property): FieldDescription => {
  const { name, fieldType, externalOptions, options, hasUniqueValue, calculated } = property;
  const known = entryOf(types, property.type) ?? 'other';
  const type =
    known !== 'choice'
      ? known
      : externalOptions
        ? 'reference'
        : fieldType === 'booleancheckbox'
          ? 'boolean'
          : 'choice';
  return {
    type,
    ...(type === 'text' && { length: TEXT_LENGTH }),
    ...(type === 'choice' && { choices: options.map(({ value }) => value) }),
    required: required.has(name),
    writable: !calculated && property.modificationMetadata?.readOnlyValue !== true,
    isKey: hasUniqueValue,
  };
};

const propertiesOf = (object: string): Question => ({
  method: 'GET',
  path: `/crm/properties/${VERSION}/${encodeURIComponent(object)}`,
  query: { archived: 'false' },
  object,
});

/** One call per object. An object that HubSpot lacks, or that the app may not see, is absent. */
export const describe = async (
  api: Api,
  objects: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, ObjectDescription>> => {
  const described = new Map<string, ObjectDescription>();
  let hidden: CrmFault | undefined;
  for (const object of objects) {
    const answered = await ifShown(api, object, call);
    if (answered instanceof CrmFault) hidden = answered;
    else if (answered !== undefined)
      described.set(
        object,
        new Map(answered.results.map((property) => [property.name, describeProperty(property)])),
      );
  }
  if (hidden !== undefined && described.size === 0)
    throw setupFault('missing-scopes', 'connection', hidden.message);
  return described;
};

/** Undefined for an object that HubSpot lacks; a fault for one that it does not show. */
const ifShown = async (
  api: Api,
  object: string,
  call: Call,
): Promise<z.infer<typeof Properties> | CrmFault | undefined> => {
  try {
    const reply = await api.ask(propertiesOf(object), Properties, call);
    if ('value' in reply) return reply.value;
    if (reply.status === 404) return undefined;
    const fault = ofObject(faultOf(reply.refusal, object, reply.status));
    if (fault.code === 'hubspot-unknown-object') return undefined;
    throw fault;
  } catch (error) {
    if (error instanceof CrmFault && error.code === 'hubspot-missing-scopes') return error;
    throw error;
  }
};

const CONTACT_GROUP = 'contactinformation';

type Creation = Omit<PropertyCreate, 'type' | 'fieldType'> & {
  readonly type: `${PropertyCreate['type']}`;
  readonly fieldType: `${PropertyCreate['fieldType']}`;
};

/** Creates the property that holds the hub's key. One that is there already is left as it is. */
export const createKeyField = async (
  api: Api,
  object: string,
  keyField: string,
  call: Call,
): Promise<void> => {
  const groupName = object === 'contacts' ? CONTACT_GROUP : await groupOf(api, object, call);
  const body: Creation = {
    name: keyField,
    label: 'Tributary id',
    description: 'The key of this record in Tributary. Do not change it.',
    groupName,
    type: 'string',
    fieldType: 'text',
    hasUniqueValue: true,
    formField: false,
  };
  const question = { ...propertiesOf(object), method: 'POST', query: {}, body } as const;
  const reply = await api.ask(question, z.looseObject({}), call);
  if ('refusal' in reply && reply.status !== 409)
    throw ofObject(faultOf(reply.refusal, object, reply.status));
};

/** The group of HubSpot's own id, which every object has. */
const groupOf = async (api: Api, object: string, call: Call): Promise<string> => {
  const { results } = await api.need(propertiesOf(object), Properties, call);
  const own = results.find(({ name }) => name === 'hs_object_id') ?? results[0];
  return own?.groupName ?? CONTACT_GROUP;
};
