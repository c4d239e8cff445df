// https://www.servicenow.com/docs/bundle/zurich-platform-administration/page/administer/reference-pages/concept/c_SystemDictionary.html
// The dictionary lists a field under the table that defines it alone, so that the tables that a table extends are read first.

import type { Call, FieldDescription, ObjectDescription } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { answersTo } from './rest/batch.ts';
import { unknownField } from './rest/faults.ts';
import type { Client } from './rest/session.ts';
import { accepted, get, type Row, rowsIn, rowsOf } from './rest/table.ts';

/** What is known of a table. */
export interface Known {
  readonly fields: ObjectDescription;
  /** Whether its records are people, whom agents deactivate in place of deleting them. */
  readonly isOfPeople: boolean;
  readonly emails: readonly string[];
  readonly phones: readonly string[];
  /** The fields whose values must be unique, apart from the system's own. */
  readonly unique: readonly string[];
  /** The tables to which references lead, by field. */
  readonly references: ReadonlyMap<string, string>;
  /** The names of fields by what they are called in forms. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface Objects {
  /** Rejects with the `CrmFault` for which the table cannot be used. */
  of(table: string, call: Call): Promise<Known>;
  /** Leaves out tables that are not there, or that the hub may not use. */
  describe(tables: readonly string[], call: Call): Promise<ReadonlyMap<string, Known>>;
  /** Rejects with a `CrmFault` of the object if the table lacks one of the fields, and reads the table anew next time. */
  expectFields(table: string, names: readonly string[], call: Call): Promise<Known>;
  /** The name of the hub's own user, as records name those who made them; undefined if it is not known. */
  userName(): string | undefined;
}

/** Descriptions are read once a session, every table that is asked for at once: two requests. */
export const objectsOf = (client: Client, username: string | undefined): Objects => {
  const known = new Map<string, Known | CrmFault>();
  let userName = username;
  const load = async (tables: readonly string[], call: Call): Promise<void> => {
    const asked = [...new Set(tables)].filter((table) => !known.has(table));
    if (asked.length === 0) return;
    const { chains, user } = await chainsOf(client, asked, call);
    userName ??= user;
    const described = await describeTables(client, chains, call);
    for (const [table, chain] of chains) {
      const one = chain instanceof CrmFault ? chain : described.get(table);
      if (one !== undefined) known.set(table, one);
    }
  };
  const of = async (table: string, call: Call): Promise<Known> => {
    await load([table], call);
    const one = known.get(table);
    if (one !== undefined && !(one instanceof CrmFault)) return one;
    // Somebody may put it right while the session lasts.
    known.delete(table);
    throw one ?? undescribed(table);
  };
  return {
    of,
    async expectFields(table, names, call) {
      const one = await of(table, call);
      const unknown = names.find((name) => !one.fields.has(name));
      if (unknown === undefined) return one;
      known.delete(table);
      throw unknownField(table, unknown);
    },
    async describe(tables, call) {
      for (const table of tables) known.delete(table);
      await load(tables, call);
      return new Map(
        tables.flatMap((table) => {
          const one = known.get(table);
          return one === undefined || one instanceof CrmFault ? [] : [[table, one] as const];
        }),
      );
    },
    userName: () => userName,
  };
};

const LEVELS = 6;
const CHAIN = Array.from({ length: LEVELS }, (_, level) => `${'super_class.'.repeat(level)}name`);

/** The tables that each table extends, itself first; a table that the hub cannot use has its fault. */
const chainsOf = async (
  client: Client,
  tables: readonly string[],
  call: Call,
): Promise<{ chains: ReadonlyMap<string, readonly string[] | CrmFault>; user: string | undefined }> => {
  const [me, hierarchy, ...probes] = await answersTo(
    client,
    [
      get({
        ...{ table: 'sys_user', query: 'sys_id=javascript:gs.getUserID()', fields: ['sys_id', 'user_name'] },
      }),
      get({ table: 'sys_db_object', query: `nameIN${tables.join(',')}`, fields: CHAIN }),
      ...tables.map((table) => get({ table, query: '', fields: ['sys_id'] }, 1)),
    ],
    call,
  );
  if (hierarchy === undefined) throw undescribed('sys_db_object');
  const rows = rowsIn(accepted(hierarchy));
  const chains = tables.map((table, at): readonly [string, readonly string[] | CrmFault] => {
    const probe = probes[at];
    if (probe instanceof CrmFault && probe.scope === 'connection') throw probe;
    if (probe instanceof CrmFault) return [table, probe];
    const row = rows.find(({ name }) => name === table);
    if (row === undefined) return [table, undescribed(table)];
    return [table, CHAIN.flatMap((name) => row[name] || [])];
  });
  return { chains: new Map(chains), user: onlyUser(me) };
};

/** A part of a query that an instance does not understand is left out, so that several users are none. */
const onlyUser = (outcome: Awaited<ReturnType<typeof answersTo>>[number] | undefined): string | undefined => {
  if (outcome === undefined || outcome instanceof CrmFault) return undefined;
  const rows = rowsIn(outcome);
  return rows.length === 1 ? rows[0]?.['user_name'] || undefined : undefined;
};

const ENTRY = [
  ...['name', 'element', 'internal_type', 'max_length', 'mandatory', 'default_value', 'read_only'],
  ...['virtual', 'unique', 'choice', 'reference', 'column_label'],
];

const describeTables = async (
  client: Client,
  chains: ReadonlyMap<string, readonly string[] | CrmFault>,
  call: Call,
): Promise<ReadonlyMap<string, Known>> => {
  const usable = [...chains].flatMap(([table, chain]) =>
    chain instanceof CrmFault ? [] : [{ table, chain }],
  );
  const names = [...new Set(usable.flatMap(({ chain }) => chain))].join(',');
  if (names === '') return new Map();
  const [entries = [], choices = []] = await rowsOf(
    client,
    [
      { table: 'sys_dictionary', query: `nameIN${names}^elementISNOTEMPTY^active=true`, fields: ENTRY },
      {
        table: 'sys_choice',
        query: `nameIN${names}^language=en^inactive=false`,
        fields: ['name', 'element', 'value'],
      },
    ],
    call,
  );
  return new Map(
    usable.flatMap(({ table, chain }) => {
      const own = inherited(entries, chain);
      return own.size === 0
        ? []
        : [
            [
              table,
              { ...knownOf(own, inheritedChoices(choices, chain)), isOfPeople: isOfPeople(chain) },
            ] as const,
          ];
    }),
  );
};

/** The entries of a table's fields; a table's own one counts more than that of a table which it extends. */
const inherited = (entries: readonly Row[], chain: readonly string[]): ReadonlyMap<string, Row> =>
  new Map(
    chain
      .toReversed()
      .flatMap((table) => entries.filter(({ name }) => name === table))
      .map((entry) => [entry['element'] ?? '', entry]),
  );

const inheritedChoices = (
  choices: readonly Row[],
  chain: readonly string[],
): ReadonlyMap<string, readonly string[]> => {
  const byField = new Map<string, string[]>();
  for (const { name = '', element = '', value = '' } of choices)
    if (chain.includes(name)) byField.set(element, [...new Set([...(byField.get(element) ?? []), value])]);
  return byField;
};

/** The tables that those of contacts and of consumers are, or extend. */
const PEOPLE: readonly string[] = ['sys_user', 'csm_consumer'];

const isOfPeople = (chain: readonly string[]): boolean => chain.some((table) => PEOPLE.includes(table));

const PHONE_TYPES: ReadonlySet<string> = new Set(['ph_number', 'phone_number', 'phone_number_e164']);

const knownOf = (
  entries: ReadonlyMap<string, Row>,
  choices: ReadonlyMap<string, readonly string[]>,
): Omit<Known, 'isOfPeople'> => {
  const fields = new Map(
    [...entries].map(([name, entry]) => [name, describeField(entry, choices.get(name))]),
  );
  const named = (isWanted: (name: string, type: string) => boolean): string[] =>
    [...entries].flatMap(([name, { internal_type: type = '' }]) => (isWanted(name, type) ? [name] : []));
  const isText = (name: string) => fields.get(name)?.type === 'text';
  const phones = named(
    (name, type) =>
      PHONE_TYPES.has(type) || (isText(name) && /phone|mobile/u.test(name) && !/fax/u.test(name)),
  );
  return {
    fields,
    emails: primaryFirst(named((name, type) => type === 'email' || (isText(name) && name === 'email'))),
    phones: primaryFirst(phones),
    unique: [...fields].flatMap(([name, { isKey, writable }]) => (isKey && writable ? [name] : [])),
    labels: new Map([...entries].map(([name, { column_label: label = '' }]) => [label, name])),
    references: new Map(
      [...entries].flatMap(([name, { reference }]) => (reference ? [[name, reference]] : [])),
    ),
  };
};

const primaryFirst = (names: readonly string[]): string[] => {
  const isPrimary = (name: string) => name === 'email' || name === 'phone';
  return [...names.filter(isPrimary), ...names.filter((name) => !isPrimary(name)).toSorted()];
};

const types: Readonly<Record<string, FieldDescription['type']>> = {
  ...{ integer: 'number', longint: 'number', decimal: 'number', float: 'number', currency: 'number' },
  ...{ boolean: 'boolean', glide_date: 'date', glide_date_time: 'datetime', due_date: 'datetime' },
  ...{ reference: 'reference', GUID: 'other', glide_list: 'other', document_id: 'other', password2: 'other' },
};

/** Access by the API ignores whether a value is among the choices, but a person would not find it in the form. */
const describeField = (entry: Row, choices: readonly string[] | undefined): FieldDescription => {
  const { internal_type: name = '', element = '', max_length: length } = entry;
  const isChoice = (entry['choice'] === '1' || entry['choice'] === '3') && choices !== undefined;
  const type = isChoice ? 'choice' : (types[name] ?? 'text');
  return {
    type,
    ...(type === 'text' && Number(length) > 0 && { length: Number(length) }),
    ...(isChoice && { choices }),
    required: entry['mandatory'] === 'true' && !entry['default_value'],
    writable: entry['read_only'] !== 'true' && entry['virtual'] !== 'true' && !element.startsWith('sys_'),
    isKey: entry['unique'] === 'true',
  };
};

const undescribed = (table: string): CrmFault =>
  new CrmFault(
    'servicenow-forbidden',
    `ServiceNow does not describe the table ${table} to the hub. Let the user of the hub read sys_db_object, sys_dictionary and sys_choice (role personalize_dictionary).`,
    { scope: 'object', why: 'setup' },
  );
