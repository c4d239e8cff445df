import {
  type Call,
  type CrmSession,
  type Finding,
  IMPORT_SET,
  type ImportBy,
  type ObjectDescription,
} from '../connector.ts';
import { CrmFault } from '../fault.ts';
import type { CrmMapping } from '../mapping/mapping.ts';
import { checkMapping, describedObjects } from './check.ts';
import type { MappingFinding, Place } from './part.ts';

/** What was found in the account of a CRM. */
export interface Examination {
  readonly account: readonly Finding[];
  readonly mapping: readonly MappingFinding[];
  /** The objects of the mapping that the CRM shows. */
  readonly described: ReadonlyMap<string, ObjectDescription>;
}

const NOBODY = 'probe';

/** The call by which the hub finds out that it can read contacts: it looks for a key that no record has. */
export const readContacts = async (
  session: CrmSession,
  { object, key }: { readonly object: string; readonly key: string },
  call: Call,
): Promise<void> => {
  await session.find(object, { field: key }, [NOBODY], [key], call);
};

/**
 * Looks at an account with an open session: what the CRM says of it, what it says of the objects of the mapping, whether
 * the mapping fits, and whether contacts can be read. Rejects with a `CrmFault` of the connection where the CRM does not
 * answer.
 */
export const examineAccount = async (
  connector: Place['connector'],
  session: CrmSession,
  mapping: CrmMapping,
  call: Call,
): Promise<Examination> => {
  const account = [...(await session.examine(call)), ...(await importFindings(session, mapping, call))];
  const described = await found(() => session.describe(describedObjects(mapping), call));
  if (described instanceof CrmFault)
    return { account: [...account, finding('permissions', described)], mapping: [], described: new Map() };
  const faults = checkMapping(connector, mapping, described);
  const { object, key } = mapping.contact;
  const isReadable = described.get(object)?.has(key) === true;
  const read = isReadable ? await found(() => readContacts(session, mapping.contact, call)) : undefined;
  return {
    account: [...account, ...(read instanceof CrmFault ? [finding(object, read)] : [])],
    mapping: faults,
    described,
  };
};

/** What is written of contacts by an import set, and whether it becomes contacts. */
const importFindings = async (
  session: CrmSession,
  { contact }: CrmMapping,
  call: Call,
): Promise<readonly Finding[]> => {
  const by = importOf(contact);
  if (by === undefined || session.imports === undefined) return [];
  const { imports } = session;
  const findings = await found(() => imports.examine(by, importedFields(contact), call));
  return findings instanceof CrmFault ? [finding(IMPORT_SET, findings)] : findings;
};

/** The import set of a mapping, if it names one. */
export const importOf = ({ importSet, object, key }: CrmMapping['contact']): ImportBy | undefined =>
  importSet === undefined ? undefined : { table: importSet, object, keyField: key };

/** The fields of contacts that the hub writes. */
export const importedFields = ({ fields, links }: CrmMapping['contact']): string[] => [
  ...Object.entries(fields).flatMap(([name, { write }]) =>
    write === 'crm-owns' || write === 'never' ? [] : [name],
  ),
  ...Object.keys(links),
];

/** What a person must change is a finding; a CRM that does not answer is none. */
const found = async <Value>(ask: () => Promise<Value>): Promise<Value | CrmFault> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CrmFault && error.why === 'setup') return error;
    throw error;
  }
};

const finding = (about: string, { message }: CrmFault): Finding => ({ about, says: message, ok: false });
