import type { HeldRecord } from '../../../core/crm/connector.ts';
import type { Known } from './describe.ts';
import type { Row } from './rest/table.ts';
import { fromRow, readInstant } from './values.ts';

const OF_RECORD = ['sys_id', 'sys_created_on', 'sys_created_by', 'sys_updated_on'];
/** Agents take this mark from people who left; of other records it says no more than that they are closed. */
const ACTIVE = 'active';
/** The field by which a record belongs to a contact, in the tables of customer service. */
const CONTACT = 'contact';

/** The fields of a query for held records. */
export const selected = (known: Known, fields: readonly string[]): string[] => [
  ...new Set([
    ...OF_RECORD,
    ...fields,
    ...known.emails,
    ...known.phones,
    ...(known.references.has(CONTACT) ? [CONTACT] : []),
    ...(known.isOfPeople ? [ACTIVE] : []),
  ]),
];

/** Whether a person's record is not in use any more: it counts as deleted until somebody activates it again. */
export const isInactive = (row: Row, { isOfPeople }: Known): boolean => isOfPeople && row[ACTIVE] === 'false';

const EPOCH = '1970-01-01T00:00:00.000Z';

/** `userName`: the hub's own user in ServiceNow. */
export const heldRecord = (
  row: Row,
  { known, fields, userName }: { known: Known; fields: readonly string[]; userName: string | undefined },
): HeldRecord => {
  const createdAt = readInstant(row['sys_created_on']) ?? EPOCH;
  const contact = known.references.has(CONTACT) ? row[CONTACT] : undefined;
  return {
    id: row['sys_id'] ?? '',
    ...(contact && { contact }),
    fields: fromRow(row, fields, known.fields),
    emails: textsOf(row, known.emails),
    phones: textsOf(row, known.phones),
    byStaff: isByStaff(row['sys_created_by'] ?? '', userName),
    createdAt,
    modifiedAt: readInstant(row['sys_updated_on']) ?? createdAt,
  };
};

const textsOf = (row: Row, names: readonly string[]): string[] => [
  ...new Set(names.flatMap((name) => row[name]?.trim() || [])),
];

/** Visitors of a portal are `guest`; what the hub made may hold what a visitor typed, and it is not told apart if the hub does not know its own name. */
const isByStaff = (author: string, userName: string | undefined): boolean =>
  userName !== undefined &&
  author !== '' &&
  author !== 'guest' &&
  author.toLowerCase() !== userName.toLowerCase();
