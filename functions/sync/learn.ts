import { identifiersIn } from '../../core/crm/adoption.ts';
import type { HeldRecord } from '../../core/crm/connector.ts';
import type { FieldTaken } from '../../core/crm/mapping.ts';
import { takenAtFirst } from '../../core/crm/state.ts';
import { toldBy } from '../../core/crm/taken.ts';
import type { Customer } from '../../core/identity/customer.ts';
import { type Instant, instant } from '../../core/interaction/interaction.ts';
import type { InteractionMessage } from '../contracts/messages/record.ts';
import type { SyncPorts } from './ports.ts';
import type { Rules, Subject } from './subjects.ts';

interface Learnt {
  readonly object: string;
  readonly record: Pick<HeldRecord, 'id' | 'emails' | 'phones' | 'byStaff'>;
  readonly act: string;
  readonly at: Instant;
  readonly taken: readonly FieldTaken[];
  readonly customer?: Customer;
  /** Other ids of the same record. */
  readonly others?: readonly string[];
}

/** What a CRM told about a person, as an interaction to record. What visitors may have typed there is claimed. */
export const learntMessage = (
  { crm, now }: Pick<SyncPorts, 'crm' | 'now'>,
  { object, record, act, at, taken, customer, others = [] }: Learnt,
): InteractionMessage => {
  const told = toldBy(taken, customer);
  const addresses = [...new Set([...identifiersIn(record), ...told.identifiers])];
  return {
    type: 'interaction',
    receivedAt: instant(now()),
    interaction: {
      ...{ key: `${object}:${record.id}:${act}:${at}`, provider: crm, externalId: record.id },
      kind: act === 'changed' || act === 'merged' ? 'contact-update' : 'crm-record',
      ...{ channel: 'crm', direction: 'system', occurredAt: at },
      identifiers: [...[record.id, ...others].map((id) => `${crm}:${id}`), ...addresses],
      ...(!record.byStaff && addresses.length > 0 && { claimed: addresses }),
      ...(told.profile && { profile: told.profile }),
      properties: { record: object, act },
    },
  };
};

/** What a record that is adopted tells: its addresses, and what the hub lacked or the CRM owns. */
export const adoptedMessage = (
  ports: Pick<SyncPorts, 'crm' | 'now'>,
  { mapping }: Rules,
  { customer, ours }: Subject,
  record: HeldRecord,
): InteractionMessage =>
  learntMessage(ports, {
    ...{ object: mapping.contact.object, record, act: 'adopted', at: instant(ports.now()), customer },
    taken: takenAtFirst(mapping.contact.fields, ours, record.fields),
  });
