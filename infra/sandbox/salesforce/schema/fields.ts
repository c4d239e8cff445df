import type { Fields } from '../../protocol/sandbox.ts';

/** The types of `describe`. */
export type FieldType =
  | 'id'
  | 'string'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'url'
  | 'picklist'
  | 'multipicklist'
  | 'combobox'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'reference'
  | 'junctionIdList'
  | 'address';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  /** Characters; 0 for what is no text. */
  readonly length: number;
  readonly nillable: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly defaultedOnCreate: boolean;
  readonly default?: unknown;
  readonly externalId: boolean;
  readonly unique: boolean;
  readonly idLookup: boolean;
  readonly caseSensitive: boolean;
  readonly restricted: boolean;
  readonly values: readonly string[];
  readonly referenceTo: readonly string[];
  readonly relationshipName: string | null;
  /** The name of the list of children on the parent. */
  readonly childRelationship?: string;
  readonly cascadeDelete: boolean;
  readonly nameField: boolean;
  readonly custom: boolean;
  readonly autoNumber?: string;
  /** The compound field of which this is a part. */
  readonly compound?: string;
  /** A value that is worked out from others and not held. */
  readonly derive?: (fields: Fields) => unknown;
}

export interface ObjectType {
  readonly name: string;
  readonly label: string;
  readonly labelPlural: string;
  readonly keyPrefix: string;
  readonly custom: boolean;
  readonly fields: readonly Field[];
}

const LENGTHS: Partial<Record<FieldType, number>> = {
  id: 18,
  reference: 18,
  string: 255,
  email: 80,
  phone: 40,
  url: 255,
  picklist: 255,
  multipicklist: 4099,
  combobox: 255,
  textarea: 32_000,
};

const labelOf = (name: string): string =>
  name
    .replace(/__c$/u, '')
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/gu, '$1 $2')
    .replace(/ Id$/u, ' ID');

/** A field that can be written and may be empty, unless `more` says otherwise. */
export const field = (name: string, type: FieldType, more: Partial<Field> = {}): Field => ({
  name,
  label: labelOf(name),
  type,
  length: LENGTHS[type] ?? 0,
  nillable: type !== 'boolean',
  createable: true,
  updateable: true,
  defaultedOnCreate: type === 'boolean' || more.default !== undefined,
  ...(type === 'boolean' && { default: false }),
  externalId: false,
  unique: false,
  idLookup: false,
  caseSensitive: false,
  restricted: false,
  values: [],
  referenceTo: [],
  relationshipName: null,
  cascadeDelete: false,
  nameField: false,
  custom: name.endsWith('__c'),
  ...more,
});

export const text = (name: string, length: number, more: Partial<Field> = {}): Field =>
  field(name, 'string', { length, ...more });

export const pick = (name: string, values: readonly string[], more: Partial<Field> = {}): Field =>
  field(name, 'picklist', { values, ...more });

export const lookup = (
  name: string,
  referenceTo: readonly string[],
  childRelationship?: string,
  more: Partial<Field> = {},
): Field =>
  field(name, 'reference', {
    referenceTo,
    relationshipName: name.replace(/__c$/u, '__r').replace(/Id$/u, ''),
    ...(childRelationship !== undefined && { childRelationship }),
    ...more,
  });

const READ_ONLY = { createable: false, updateable: false } as const;

export const derived = (name: string, type: FieldType, derive: (fields: Fields) => unknown): Field =>
  field(name, type, { ...READ_ONLY, derive });

/** The parts of an address, and the whole as a compound field. */
export const address = (prefix: string): readonly Field[] => {
  const compound = `${prefix}Address`;
  const part = (name: string, length: number, type: FieldType = 'string') =>
    field(`${prefix}${name}`, type, { length, compound });
  const parts = [
    part('Street', 255, 'textarea'),
    part('City', 40),
    part('State', 80),
    part('PostalCode', 20),
    part('Country', 80),
  ];
  const whole = (fields: Fields) => {
    const values = parts.map(
      ({ name }) =>
        [
          name.slice(prefix.length).replace(/^./u, (letter) => letter.toLowerCase()),
          fields[name] ?? null,
        ] as const,
    );
    return values.every(([, value]) => value === null) ? null : Object.fromEntries(values);
  };
  return [...parts, derived(compound, 'address', whole)];
};

/** Name parts of a person, and the whole name. */
export const personName = (): readonly Field[] => [
  text('LastName', 80, { nillable: false, compound: 'Name' }),
  text('FirstName', 40, { compound: 'Name' }),
  pick('Salutation', ['Mr.', 'Ms.', 'Mrs.', 'Dr.', 'Prof.', 'Mx.'], { length: 40, compound: 'Name' }),
  field('Name', 'string', {
    ...READ_ONLY,
    length: 121,
    nillable: false,
    nameField: true,
    derive: ({ FirstName, LastName }) => [FirstName, LastName].filter(Boolean).join(' '),
  }),
];

/** Fields that every object has. */
const systemFields = (): readonly Field[] => [
  field('Id', 'id', {
    ...READ_ONLY,
    nillable: false,
    defaultedOnCreate: true,
    idLookup: true,
    label: 'Record ID',
  }),
  field('IsDeleted', 'boolean', READ_ONLY),
  ...['CreatedDate', 'LastModifiedDate', 'SystemModstamp'].map((name) =>
    field(name, 'datetime', { ...READ_ONLY, nillable: false, defaultedOnCreate: true }),
  ),
  ...['CreatedById', 'LastModifiedById'].map((name) =>
    lookup(name, ['User'], undefined, { ...READ_ONLY, nillable: false, defaultedOnCreate: true }),
  ),
];

export const owner = (): Field =>
  lookup('OwnerId', ['User'], undefined, { nillable: false, defaultedOnCreate: true });

export const masterRecord = (object: string): Field =>
  lookup('MasterRecordId', [object], undefined, READ_ONLY);

export const objectType = (
  name: string,
  keyPrefix: string,
  fields: readonly Field[],
  more: Partial<ObjectType> = {},
): ObjectType => ({
  name,
  label: labelOf(name),
  labelPlural: `${labelOf(name)}s`,
  keyPrefix,
  custom: name.endsWith('__c'),
  ...more,
  fields: [...systemFields(), ...fields],
});
