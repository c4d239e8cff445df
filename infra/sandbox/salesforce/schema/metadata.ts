import * as z from 'zod';
import { type Field, type FieldType, field, type ObjectType, objectType, owner, text } from './fields.ts';

const valueSet = z.object({
  restricted: z.boolean().default(false),
  valueSetDefinition: z.object({
    value: z.array(z.object({ fullName: z.string(), default: z.boolean().default(false) })),
  }),
});

const fieldMetadata = z.object({
  type: z.string(),
  label: z.string().optional(),
  length: z.number().int().optional(),
  required: z.boolean().default(false),
  externalId: z.boolean().default(false),
  unique: z.boolean().default(false),
  caseSensitive: z.boolean().default(false),
  defaultValue: z.union([z.string(), z.number(), z.boolean()]).optional(),
  referenceTo: z.string().optional(),
  relationshipName: z.string().optional(),
  valueSet: valueSet.optional(),
});

/** A custom field as the Tooling API creates it; `FullName` is `Object.Field__c`. Fields of tasks and events are those of `Activity`. */
export const CustomField = z.object({
  FullName: z.string().regex(/^\w+\.\w+__c$/u, 'FullName is Object.Field__c'),
  Metadata: fieldMetadata,
});
export type CustomField = z.input<typeof CustomField>;

/** A custom object in the shape of the Metadata API. */
export const CustomObject = z.object({
  fullName: z.string().regex(/^\w+__c$/u, 'fullName ends with __c'),
  label: z.string().optional(),
  pluralLabel: z.string().optional(),
  nameField: z
    .object({ type: z.enum(['Text', 'AutoNumber']), displayFormat: z.string().default('{00000000}') })
    .default({ type: 'Text', displayFormat: '' }),
  fields: z.array(fieldMetadata.extend({ fullName: z.string() })).default([]),
});
export type CustomObject = z.input<typeof CustomObject>;

const TYPES: Readonly<Record<string, FieldType>> = {
  Text: 'string',
  TextArea: 'textarea',
  LongTextArea: 'textarea',
  Html: 'textarea',
  Email: 'email',
  Phone: 'phone',
  Url: 'url',
  Checkbox: 'boolean',
  Number: 'double',
  Currency: 'currency',
  Percent: 'percent',
  Date: 'date',
  DateTime: 'datetime',
  Picklist: 'picklist',
  MultiselectPicklist: 'multipicklist',
  Lookup: 'reference',
  MasterDetail: 'reference',
};

/** Types whose values can be external ids. */
const KEYS = ['Text', 'Number', 'Email'];

/** The field that this metadata describes. Throws `Error` with Salesforce's reason where there is no such field. */
export const customField = (name: string, metadata: z.output<typeof fieldMetadata>): Field => {
  const type = TYPES[metadata.type];
  if (type === undefined) throw new Error(`Invalid fieldType: ${metadata.type}`);
  if (metadata.type === 'Text' && metadata.length === undefined)
    throw new Error(`Must specify 'length' for a CustomField of type Text`);
  if (metadata.externalId && !KEYS.includes(metadata.type))
    throw new Error(`Can not specify 'externalId' for a CustomField of type ${metadata.type}`);
  const values = metadata.valueSet?.valueSetDefinition.value ?? [];
  const preset = values.find((value) => value.default)?.fullName ?? metadata.defaultValue;
  return field(name, type, {
    ...(metadata.label !== undefined && { label: metadata.label }),
    ...(metadata.length !== undefined && { length: metadata.length }),
    ...(metadata.type === 'TextArea' && { length: 255 }),
    nillable: type !== 'boolean' && !metadata.required && metadata.type !== 'MasterDetail',
    externalId: metadata.externalId,
    unique: metadata.unique,
    idLookup: metadata.externalId || metadata.unique,
    caseSensitive: metadata.caseSensitive,
    values: values.map(({ fullName }) => fullName),
    restricted: metadata.valueSet?.restricted ?? false,
    ...(type === 'boolean'
      ? { default: preset === true || preset === 'true' }
      : preset !== undefined && { default: preset }),
    defaultedOnCreate: type === 'boolean' || preset !== undefined,
    referenceTo: metadata.referenceTo === undefined ? [] : [metadata.referenceTo],
    relationshipName: type === 'reference' ? name.replace(/__c$/u, '__r') : null,
    ...(metadata.relationshipName !== undefined && { childRelationship: `${metadata.relationshipName}__r` }),
    cascadeDelete: metadata.type === 'MasterDetail',
  });
};

/** The object that this metadata describes. */
export const customObject = (metadata: z.output<typeof CustomObject>, keyPrefix: string): ObjectType => {
  const { type, displayFormat } = metadata.nameField;
  const name =
    type === 'AutoNumber'
      ? text('Name', 80, {
          nillable: false,
          createable: false,
          updateable: false,
          nameField: true,
          idLookup: true,
          autoNumber: displayFormat,
          custom: false,
        })
      : text('Name', 80, { nameField: true, idLookup: true, custom: false });
  return objectType(
    metadata.fullName,
    keyPrefix,
    [name, owner(), ...metadata.fields.map((member) => customField(member.fullName, member))],
    {
      ...(metadata.label !== undefined && { label: metadata.label }),
      ...(metadata.pluralLabel !== undefined && { labelPlural: metadata.pluralLabel }),
    },
  );
};
