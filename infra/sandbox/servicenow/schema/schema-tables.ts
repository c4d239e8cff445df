import { field, systemFields, type Table } from './fields.ts';

/** The tables that describe the others. Their records are not stored: they follow from the schema. */
export const schemaTables: readonly Table[] = [
  {
    name: 'sys_db_object',
    label: 'Table',
    display: 'label',
    fields: [
      ...systemFields,
      field('name', { maxLength: 80 }),
      field('label', { maxLength: 80 }),
      field('super_class', { type: 'reference', reference: 'sys_db_object' }),
    ],
  },
  {
    name: 'sys_dictionary',
    label: 'Dictionary Entry',
    display: 'element',
    fields: [
      ...systemFields,
      field('name', { maxLength: 80 }),
      field('element', { maxLength: 80 }),
      field('column_label', { maxLength: 80 }),
      field('internal_type', { type: 'reference', reference: 'sys_glide_object' }),
      field('max_length', { type: 'integer' }),
      ...['mandatory', 'unique', 'read_only', 'display', 'active'].map((name) =>
        field(name, { type: 'boolean' }),
      ),
      field('reference', { type: 'reference', reference: 'sys_db_object' }),
      field('choice', { type: 'integer' }),
      field('default_value', { maxLength: 4000 }),
    ],
  },
  {
    name: 'sys_choice',
    label: 'Choice',
    display: 'label',
    fields: [
      ...systemFields,
      ...['name', 'element', 'value', 'label'].map((name) => field(name, { maxLength: 100 })),
      field('language', { maxLength: 3 }),
      field('sequence', { type: 'integer' }),
      field('inactive', { type: 'boolean' }),
    ],
  },
];
