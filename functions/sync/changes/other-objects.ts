import * as z from 'zod';
import { type CrmChange, valueDigest } from '../../../core/crm/change.ts';
import type { CrmSession, HeldRecord } from '../../../core/crm/connector.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import type { SyncPorts } from '../ports.ts';

/**
 * Records what a CRM reports about records that belong to contacts, such as cases, where the report names no contact: the
 * records are read, one call per object. Those of nobody that the hub knows are ignored.
 */
export const recordOtherChanges = async (
  ports: Pick<SyncPorts, 'crm' | 'now' | 'call' | 'links' | 'recordInteraction'>,
  session: CrmSession,
  changes: readonly CrmChange[],
): Promise<void> => {
  for (const [object, reported] of Map.groupBy(changes, (one) => one.object)) {
    const names = [...new Set(reported.flatMap(({ fields }) => Object.keys(fields)))];
    const records = await session.read(object, [...new Set(reported.map(({ id }) => id))], names, ports.call);
    const contacts = [...records.values()].flatMap(({ contact }) => contact ?? []);
    const owners = await ports.links.owners(contacts);
    for (const change of reported) {
      const record = records.get(change.id);
      if (record?.contact !== undefined && owners.has(record.contact))
        await ports.recordInteraction(changeMessage(ports, change, record, record.contact));
    }
  }
};

/** What was asked for is the same report as before, as long as the record holds the same. */
const stateOf = (record: HeldRecord, names: readonly string[]): string =>
  names.map((name) => valueDigest(record.fields[name])).join(':');

const changeMessage = (
  { crm, now }: Pick<SyncPorts, 'crm' | 'now'>,
  { object, id, act, at = instant(now()), fields, asked }: CrmChange,
  record: HeldRecord,
  contact: string,
): InteractionMessage => ({
  type: 'interaction',
  receivedAt: instant(now()),
  interaction: {
    key: `${object}:${id}:${act}:${asked ? stateOf(record, Object.keys(fields)) : at}`,
    ...{ kind: 'crm-record', channel: 'crm', provider: crm },
    ...{ direction: 'system', externalId: id, occurredAt: at, identifiers: [`${crm}:${contact}`] },
    properties: {
      ...{ record: object, act },
      set: Object.fromEntries(
        Object.keys(fields).map((name) => [
          name,
          z
            .json()
            .catch(null)
            .parse(record.fields[name] ?? null),
        ]),
      ),
    },
  },
});
