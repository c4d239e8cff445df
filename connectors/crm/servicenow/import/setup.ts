// https://www.servicenow.com/docs/bundle/zurich-integrate-applications/page/administer/import-sets/concept/c_TransformMaps.html
// A transform map without a coalesce field makes a record of every row, so that nobody is written before the map was looked at.

import { type Call, type Finding, IMPORT_SET, type ImportBy } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { answersTo, type Outcome } from '../rest/batch.ts';
import type { Client } from '../rest/session.ts';
import { accepted, get, put, type Row, rowIn, rowsIn } from '../rest/table.ts';

const [TABLES, COLUMNS] = ['sys_db_object', 'sys_dictionary'];
const [MAPS, ENTRIES] = ['sys_transform_map', 'sys_transform_entry'];
/** What every table of an import set extends. */
const IMPORT_ROWS = 'sys_import_set_row';
const LONGEST = '4000';

/** The column of an import set for a field: names of columns that people add begin with `u_`. */
export const columnFor = (field: string): string => (field.startsWith('u_') ? field : `u_${field}`);

/** What the instance shows of an import set; undefined where the hub may not see it. */
interface Shown {
  readonly hasTable: boolean;
  readonly columns: ReadonlySet<string>;
  /** The active transform maps to the table that is meant. */
  readonly maps: readonly Row[] | undefined;
  readonly entries: readonly Row[] | undefined;
  /** The sys_id of what the table extends. */
  readonly parent: string | undefined;
}

export interface ImportSetup {
  /** Rejects with a `CrmFault` of the object where rows would not become the records that are meant. Looks once a session. */
  expect(by: ImportBy, call: Call): Promise<void>;
  examine(by: ImportBy, fields: readonly string[], call: Call): Promise<readonly Finding[]>;
  /** Creates the table, its columns and the transform map, or what of these is missing. */
  create(by: ImportBy, fields: readonly string[], call: Call): Promise<void>;
}

export const importSetup = (client: Client): ImportSetup => {
  const checked = new Set<string>();
  return {
    async expect(by, call) {
      const name = JSON.stringify(by);
      if (checked.has(name)) return;
      const fault = faultIn(by, await look(client, by, call));
      if (fault !== undefined) throw byHand(by, fault);
      checked.add(name);
    },
    async examine(by, fields, call) {
      const shown = await look(client, by, call);
      const fault = faultIn(by, shown);
      if (fault !== undefined) return [finding(byHand(by, fault).message, false)];
      const filled = new Set(entriesOf(shown).map(({ target_field: field }) => field));
      const missing = fields.filter((field) => !filled.has(field));
      const rest =
        missing.length === 0
          ? ''
          : ` No field map fills ${missing.join(', ')}: unless a script of the map does, these stay empty.`;
      return [finding(`Contacts are written through ${by.table}, by ${by.keyField}.${rest}`, true)];
    },
    async create(by, fields, call) {
      const shown = await look(client, by, call);
      if (shown.maps === undefined || shown.entries === undefined) throw byHand(by, UNREADABLE);
      try {
        await createMissing(client, by, [by.keyField, ...fields], shown, call);
      } catch (error) {
        if (error instanceof CrmFault && error.scope !== 'connection')
          throw byHand(by, 'may not be made by the user of the hub', error);
        throw error;
      }
      const fault = faultIn(by, await look(client, by, call));
      if (fault !== undefined) throw byHand(by, fault);
    },
  };
};

const look = async (client: Client, { table, object }: ImportBy, call: Call): Promise<Shown> => {
  const outcomes = await answersTo(
    client,
    [
      get({ table: TABLES, query: `nameIN${table},${IMPORT_ROWS}`, fields: ['sys_id', 'name'] }),
      get({ table: COLUMNS, query: `name=${table}`, fields: ['element'] }),
      get({
        ...{ table: MAPS, query: `source_table=${table}^target_table=${object}^active=true` },
        fields: ['sys_id', 'name'],
      }),
      get({
        ...{ table: ENTRIES, query: `map.source_table=${table}^map.active=true` },
        fields: ['map', 'source_field', 'target_field', 'coalesce'],
      }),
    ],
    call,
  );
  const [tables = [], columns = [], maps, entries] = outcomes.map(shownRows);
  return {
    ...{ maps, entries, hasTable: tables.some(({ name }) => name === table) },
    columns: new Set(columns.map(({ element = '' }) => element)),
    parent: tables.find(({ name }) => name === IMPORT_ROWS)?.['sys_id'],
  };
};

const shownRows = (outcome: Outcome): readonly Row[] | undefined => {
  if (!(outcome instanceof CrmFault)) return rowsIn(outcome);
  if (outcome.scope === 'connection') throw outcome;
  return undefined;
};

const UNREADABLE = `cannot be looked at: the user of the hub may not read ${MAPS} and ${ENTRIES} (role import_transformer)`;

/** The field maps of the only transform map. */
const entriesOf = ({ maps, entries = [] }: Shown): readonly Row[] =>
  entries.filter(({ map }) => map === maps?.[0]?.['sys_id']);

/** Why rows would not become the records that are meant. */
const faultIn = ({ object, keyField }: ImportBy, shown: Shown): string | undefined => {
  const { maps, entries, hasTable } = shown;
  if (maps === undefined || entries === undefined) return UNREADABLE;
  if (!hasTable) return 'is not there, or the user of the hub may not see it';
  if (maps.length !== 1) return `has ${maps.length} active transform maps to ${object}, and not one`;
  const coalesced = entriesOf(shown).filter(({ coalesce }) => coalesce === 'true');
  const isByKey = coalesced.length === 1 && coalesced[0]?.['target_field'] === keyField;
  return isByKey ? undefined : `has a transform map that does not find records by ${keyField} alone`;
};

const createMissing = async (
  client: Client,
  by: ImportBy,
  fields: readonly string[],
  shown: Shown,
  call: Call,
): Promise<void> => {
  const { table, object, keyField } = by;
  const make = async (name: string, rows: readonly Row[]): Promise<readonly Row[]> => {
    const requests = rows.map((row) => put(name, undefined, row, ['sys_id']));
    const outcomes = rows.length === 0 ? [] : await answersTo(client, requests, call);
    return outcomes.map((outcome) => rowIn(accepted(outcome)) ?? {});
  };
  if (!shown.hasTable)
    await make(TABLES, [{ name: table, label: 'Hub contacts', super_class: shown.parent ?? '' }]);
  const columns = fields.map(columnFor).filter((column) => !shown.columns.has(column));
  await make(
    COLUMNS,
    columns.map((element) => ({
      ...{ name: table, element, column_label: element.slice('u_'.length) },
      ...{ internal_type: 'string', max_length: LONGEST, active: 'true' },
    })),
  );
  const tables = { source_table: table, target_table: object };
  const [map] = shown.maps?.length
    ? shown.maps
    : await make(MAPS, [{ ...tables, name: 'Hub contacts', active: 'true' }]);
  const filled = new Set(entriesOf(shown).map(({ target_field: field }) => field));
  await make(
    ENTRIES,
    fields
      .filter((field) => !filled.has(field))
      .map((field) => ({
        ...{ ...tables, map: map?.['sys_id'] ?? '', source_field: columnFor(field), target_field: field },
        coalesce: String(field === keyField),
      })),
  );
};

const finding = (says: string, ok: boolean): Finding => ({ about: IMPORT_SET, says, ok });

const byHand = ({ table, object, keyField }: ImportBy, what: string, cause?: CrmFault): CrmFault =>
  new CrmFault(
    'servicenow-import-set',
    `The import set ${table} ${what}. As an administrator of ServiceNow open System Web Services, Inbound, Create New: name ${table}, target table ${object}, Create transform map, and a String field for each field of the contact, named u_ and the field. In the transform map lead each to its field, and tick Coalesce on ${keyField} alone. Or give the user of the hub the role admin for as long as \`hub connect servicenow --create-fields\` takes.`,
    { scope: 'object', why: 'setup', object, cause },
  );
