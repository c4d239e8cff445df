import { identifiersIn } from '../../../core/crm/adoption.ts';
import { type CrmChange, valueDigest } from '../../../core/crm/change.ts';
import type { Changes, HeldRecord } from '../../../core/crm/connector.ts';
import { mayHaveChanged } from '../../../core/crm/state.ts';
import type { Subject } from '../contacts/subjects.ts';
import type { SyncPorts } from '../ports.ts';
import { recordOwners } from './owners.ts';

export interface NewsPorts extends Pick<SyncPorts, 'mapping' | 'identity'> {
  readonly history: Pick<SyncPorts['history'], 'customers'>;
  readonly links: Pick<SyncPorts['links'], 'owners' | 'load'>;
}

/**
 * What of a page of changes may be news: not what the hub has written itself, nor what belongs to nobody whom the hub knows.
 * `fields`: those by which the hub compares records of the object.
 */
export const newsIn = async (
  ports: NewsPorts,
  object: string,
  fields: readonly string[],
  { records, deleted }: Pick<Changes, 'records' | 'deleted'>,
): Promise<readonly CrmChange[]> => {
  const rules = { mapping: await ports.mapping(), identity: await ports.identity() };
  if (object !== rules.mapping.contact.object) return newsOfOthers(ports, object, fields, records);
  const owners = await recordOwners(
    ports,
    rules,
    [...records, ...deleted].map(({ id }) => id),
  );
  const subjectOf = (id: string): Subject | undefined => owners.get(id)?.subject;
  return [
    ...records
      .filter((record) => isNews(record, fields, subjectOf(record.id), rules.mapping.contact.fields))
      .map((record) => changeOf(object, 'changed', record.id, record.modifiedAt)),
    ...deleted
      .filter(({ id }) => isLinked(subjectOf(id)))
      .map(({ id, at }) => changeOf(object, 'deleted', id, at)),
  ];
};

const changeOf = (object: string, act: CrmChange['act'], id: string, at: string): CrmChange => ({
  ...{ object, id, act, at, fields: {}, merged: [] },
});

const isLinked = (subject: Subject | undefined): boolean =>
  subject !== undefined && subject.state.goneAt === undefined;

/** A linked record is news if a field that the hub compares, or an address, is none that either side had. */
const isNews = (
  record: HeldRecord,
  fields: readonly string[],
  subject: Subject | undefined,
  contactFields: Parameters<typeof mayHaveChanged>[0],
): boolean => {
  if (subject === undefined || subject.state.goneAt !== undefined) return true;
  const { fields: states } = subject.state;
  const digests = fields
    .map((name) => [name, valueDigest(record.fields[name])] as const)
    // A field of which neither side ever had a value has no state.
    .filter(([name, digest]) => digest !== '' || states[name] !== undefined);
  const known = new Set<string>(subject.customer.identifiers);
  return (
    (digests.length > 0 && mayHaveChanged(contactFields, states, Object.fromEntries(digests))) ||
    identifiersIn(record).some((one) => !known.has(one))
  );
};

/** Records of contacts, such as cases, with what they hold in the fields that are followed. */
const newsOfOthers = async (
  { links }: Pick<NewsPorts, 'links'>,
  object: string,
  fields: readonly string[],
  records: readonly HeldRecord[],
): Promise<readonly CrmChange[]> => {
  const owners = await links.owners([...new Set(records.flatMap(({ contact }) => contact ?? []))]);
  return records
    .filter(({ contact }) => contact !== undefined && owners.has(contact))
    .map((record) => ({
      ...changeOf(object, 'changed', record.id, record.modifiedAt),
      fields: Object.fromEntries(fields.map((name) => [name, valueDigest(record.fields[name])])),
      asked: true,
    }));
};
