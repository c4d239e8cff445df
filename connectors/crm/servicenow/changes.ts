// https://www.servicenow.com/docs/bundle/zurich-platform-security/page/administer/security/concept/c_UnderstandingTheSysAuditTable.html
// A deletion is filed under the table to which the record belonged itself, and not under those that this one extends.

import * as z from 'zod';
import type { Call, Changes, ChangesSince } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Objects } from './describe.ts';
import { heldRecord, isInactive, selected } from './held.ts';
import { answersTo, type Outcome } from './rest/batch.ts';
import { after, inOrderOf, Place, placeAfter } from './rest/pages.ts';
import type { Client } from './rest/session.ts';
import { accepted, get, PER_PAGE, type Query, type Row, rowsIn } from './rest/table.ts';
import { readInstant, spellInstant } from './values.ts';

const DELETIONS = 'sys_audit_delete';
const CHANGED_AT = 'sys_updated_on';
const DELETED_AT = 'sys_created_on';

/** How far the records and the deletions of a table were read. */
const Cursor = z.strictObject({ changed: Place.optional(), deleted: Place.optional() });

/** The tables that extend one, itself included, each read once. */
type Families = Map<string, readonly string[]>;

/** Reads what changed in tables by the times of their records, and the deletions that the instance has listed. */
export const changesIn = (
  client: Client,
  objects: Objects,
): ((object: string, since: ChangesSince, call: Call) => Promise<Changes>) => {
  const families: Families = new Map();
  return async (object, { fields, cursor, from, until }, call) => {
    const { changed, deleted } = cursor === undefined ? {} : Cursor.parse(JSON.parse(cursor));
    const known = await objects.of(object, call);
    const tables = families.get(object) ?? (await familyOf(client, object, call));
    families.set(object, tables);
    const between = (field: string, place: Place | undefined): string[] => [
      ...(place === undefined ? [`${field}>=${spellInstant(from)}`] : after(field, place)),
      ...[`${field}<=${spellInstant(until)}`, ...inOrderOf(field)],
    ];
    const queries: readonly Query[] = [
      { table: object, query: between(CHANGED_AT, changed).join('^'), fields: selected(known, fields) },
      {
        table: DELETIONS,
        query: [`tablenameIN${tables.join(',')}`, ...between(DELETED_AT, deleted)].join('^'),
        fields: ['sys_id', 'documentkey', DELETED_AT],
      },
    ];
    const [records, deletions] = await answersTo(
      client,
      queries.map((query) => get(query)),
      call,
    );
    const rows = shown(records);
    const gone = shownIfAllowed(deletions);
    const isGone = (row: Row): boolean => isInactive(row, known);
    const held = { known, fields, userName: objects.userName() };
    return {
      records: rows.filter((row) => !isGone(row)).map((row) => heldRecord(row, held)),
      deleted: [
        ...rows.filter(isGone).map((row) => ({ id: row['sys_id'], at: row[CHANGED_AT] })),
        ...gone.map((row) => ({ id: row['documentkey'], at: row[DELETED_AT] })),
      ].flatMap(({ id, at }) => (id ? [{ id, at: readInstant(at) ?? until }] : [])),
      next: JSON.stringify({
        changed: placeAfter(CHANGED_AT, rows) ?? changed,
        deleted: placeAfter(DELETED_AT, gone) ?? deleted,
      }),
      hasMore: rows.length >= PER_PAGE || gone.length >= PER_PAGE,
    };
  };
};

const shown = (outcome: Outcome | undefined): readonly Row[] =>
  outcome === undefined ? [] : rowsIn(accepted(outcome));

/** Without the right to read deletions the others are followed all the same: `examine` says how to give it. */
const shownIfAllowed = (outcome: Outcome | undefined): readonly Row[] =>
  outcome instanceof CrmFault && outcome.scope === 'object' ? [] : shown(outcome);

const LEVELS = 5;

const familyOf = async (client: Client, table: string, call: Call): Promise<readonly string[]> => {
  const ancestors = Array.from(
    { length: LEVELS },
    (_, level) => `${'super_class.'.repeat(level + 1)}name=${table}`,
  );
  const query = [`name=${table}`, ...ancestors].join('^OR');
  const [answer] = await answersTo(client, [get({ table: 'sys_db_object', query, fields: ['name'] })], call);
  const names = shown(answer).flatMap(({ name }) => name || []);
  return names.includes(table) ? names : [table];
};
