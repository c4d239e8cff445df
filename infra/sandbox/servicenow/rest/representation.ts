import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { Instance } from '../data/instance.ts';
import { fieldValue } from '../data/values.ts';
import { displayOf } from '../data/write.ts';
import { resolvePath } from '../query/run.ts';
import type { Field } from '../schema/fields.ts';
import type { Call } from './call.ts';

type Shown = string | Readonly<Record<string, string>>;

const displayNames: Readonly<Record<string, string>> = {
  work_notes: 'Work notes',
  comments: 'Additional comments',
};

/** The entries of a journal field, the newest first, as they are read in the pages. */
const journalText = (instance: Instance, record: HeldRecord, element: string): string =>
  instance
    .findBy('sys_journal_field', 'element_id', record.id)
    .filter((entry) => fieldValue(entry, 'element') === element)
    .reverse()
    .map(
      (entry) =>
        `${fieldValue(entry, 'sys_created_on')} - ${fieldValue(entry, 'sys_created_by')} (${displayNames[element] ?? element})\n${fieldValue(entry, 'value')}\n\n`,
    )
    .join('');

const displayValue = (instance: Instance, field: Field, value: string, record: HeldRecord): string => {
  if (field.type === 'journal_input') return journalText(instance, record, field.name);
  if (field.reference !== '' && instance.schema.table(field.reference) && value !== '') {
    const target = instance.get(field.reference, value);
    return target ? displayOf(instance, field.reference, target) : value;
  }
  return field.choices.find(([choice]) => choice === value)?.[1] ?? value;
};

const linkTo = (url: string, { reference }: Field, value: string): string =>
  /^[0-9a-f]{32}$/u.test(value)
    ? `${url}/api/now/table/${reference}/${value}`
    : `${url}/api/now/table/${reference}?name=${value}`;

/** A record as an answer shows it, by the `sysparm_` parameters of the call. */
export const shown = (
  { instance, query, url }: Call,
  table: string,
  record: HeldRecord,
): Record<string, Shown> => {
  const mode = query.get('sysparm_display_value') ?? 'false';
  const linked = query.get('sysparm_exclude_reference_link') !== 'true';
  const show = (field: Field, value: string): Shown => {
    const display = mode === 'false' ? '' : displayValue(instance, field, value, record);
    const link = field.reference !== '' && value !== '' && linked ? { link: linkTo(url, field, value) } : {};
    if (mode === 'all') return { display_value: display, value, ...link };
    if (mode === 'true') return 'link' in link ? { display_value: display, ...link } : display;
    return 'link' in link ? { ...link, value } : value;
  };
  const wanted = query
    .get('sysparm_fields')
    ?.split(',')
    .map((path) => path.trim());
  const paths = wanted ?? instance.schema.fields(table).map(({ name }) => name);
  return Object.fromEntries(
    paths.flatMap((path) => {
      const target = resolvePath(instance, table, path);
      return target ? [[path, show(target.field, target.value(record))]] : [];
    }),
  );
};
