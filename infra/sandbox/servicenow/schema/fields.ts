/** The types of the dictionary that the sandbox knows, by their names in `internal_type`. */
export const fieldTypes = [
  'string',
  'integer',
  'boolean',
  'glide_date_time',
  'glide_date',
  'reference',
  'choice',
  'email',
  'phone_number_e164',
  'url',
  'journal_input',
  'GUID',
  'sys_class_name',
] as const;

type FieldType = (typeof fieldTypes)[number];

type Choice = readonly [value: string, label: string];

/** A column of a table. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  readonly maxLength: number;
  readonly mandatory: boolean;
  readonly unique: boolean;
  readonly readOnly: boolean;
  /** The table whose records a reference leads to. */
  readonly reference: string;
  readonly choices: readonly Choice[];
  /** The value of a new record that brings none. */
  readonly initial: string;
}

export interface Table {
  readonly name: string;
  readonly label: string;
  /** The table that this one extends. Its records are records of that table too. */
  readonly parent?: string;
  /** What numbers begin with, for tables whose records are numbered. */
  readonly prefix?: string;
  /** The field that stands for a record where it is shown. */
  readonly display: string;
  /** Its records belong to the instance and not to the business: staging tables and import sets. */
  readonly system?: boolean;
  readonly fields: readonly Field[];
}

const lengths: Partial<Record<FieldType, number>> = {
  reference: 32,
  GUID: 32,
  journal_input: 4000,
  email: 100,
  url: 1024,
  sys_class_name: 80,
};

const titled = (name: string): string => {
  const words = name.replace(/^u_/u, '').replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** A field by its name, as the dictionary fills in what is not given. */
export const field = (name: string, given: Partial<Omit<Field, 'name'>> = {}): Field => {
  const type = given.type ?? 'string';
  return {
    name,
    label: given.label ?? titled(name),
    type,
    maxLength: given.maxLength ?? lengths[type] ?? 40,
    mandatory: given.mandatory ?? false,
    unique: given.unique ?? false,
    readOnly: given.readOnly ?? false,
    reference: given.reference ?? '',
    choices: given.choices ?? [],
    initial: given.initial ?? (type === 'boolean' ? 'false' : ''),
  };
};

const systemField = (name: string, type: FieldType): Field => field(name, { type, readOnly: true });

/** The columns of every table that extends no other. */
export const systemFields: readonly Field[] = [
  systemField('sys_id', 'GUID'),
  systemField('sys_created_on', 'glide_date_time'),
  systemField('sys_created_by', 'string'),
  systemField('sys_updated_on', 'glide_date_time'),
  systemField('sys_updated_by', 'string'),
  systemField('sys_mod_count', 'integer'),
  systemField('sys_tags', 'string'),
];

/** The column of a table that others extend: the table to which a record belongs. */
export const className: Field = systemField('sys_class_name', 'sys_class_name');
