import type * as z from 'zod';
import { identifiersIn } from '../../core/crm/adoption.ts';
import type { HeldRecord } from '../../core/crm/connector.ts';
import { firstInboundValues } from '../../core/crm/first-read.ts';
import type { InboundValue } from '../../core/crm/mapping/mapping.ts';
import { consentChannel } from '../../core/crm/mapping/paths.ts';
import { reportedProfile } from '../../core/crm/reported-profile.ts';
import { Json } from '../../core/formats/json.ts';
import { referenceTo } from '../../core/identity/crm/accounts.ts';
import type { Customer } from '../../core/identity/customer.ts';
import { type Instant, instant } from '../../core/interaction/interaction.ts';
import type { InteractionMessage } from '../contracts/messages/record.ts';
import type { Rules, Subject } from './contacts/subjects.ts';
import type { SyncPorts } from './ports.ts';

interface CrmReported {
  readonly object: string;
  readonly record: Pick<HeldRecord, 'id' | 'emails' | 'phones' | 'byStaff'>;
  readonly act: string;
  readonly at: Instant;
  readonly inbound: readonly InboundValue[];
  readonly customer?: Customer;
  /** Other ids of the same record. */
  readonly others?: readonly string[];
}

/** What a CRM reports about a person, as an interaction to record. What visitors may have typed there is claimed. */
export const crmInteraction = (
  { crm, scope, now }: Pick<SyncPorts, 'crm' | 'scope' | 'now'>,
  { object, record, act, at, inbound, customer, others = [] }: CrmReported,
): InteractionMessage => {
  const reported = reportedProfile(inbound, customer);
  const set = act === 'changed' ? setOf(inbound) : undefined;
  const addresses = [...new Set([...identifiersIn(record), ...reported.identifiers])];
  return {
    type: 'interaction',
    receivedAt: instant(now()),
    interaction: {
      ...{ key: `${object}:${record.id}:${act}:${at}`, provider: crm, externalId: record.id },
      kind: act === 'changed' || act === 'merged' ? 'contact-update' : 'crm-record',
      ...{ channel: 'crm', direction: 'system', occurredAt: at },
      identifiers: [...[record.id, ...others].map((id) => referenceTo(scope, id)), ...addresses],
      ...(!record.byStaff && addresses.length > 0 && { claimed: addresses }),
      ...(reported.profile && { profile: reported.profile }),
      properties: { record: object, act, ...(set !== undefined && { set }) },
    },
  };
};

const Value = Json.catch(null);

/** The values that changed, by the fields of the CRM, so that a trigger can match them. */
const setOf = (inbound: readonly InboundValue[]): Record<string, z.core.util.JSONType> | undefined =>
  inbound.length === 0
    ? undefined
    : Object.fromEntries(inbound.map(({ field, value }) => [field, Value.parse(value)]));

/** The opt-outs among values of a CRM, as interactions of their own, which are the evidence of the answers. */
export const optOutInteractions = (
  { crm, scope, now }: Pick<SyncPorts, 'crm' | 'scope' | 'now'>,
  {
    object,
    record,
    at,
    inbound,
  }: Pick<CrmReported, 'object' | 'at' | 'inbound'> & { readonly record: string },
): InteractionMessage[] =>
  inbound.flatMap(({ path, value, field }): InteractionMessage[] => {
    const medium = consentChannel(path);
    if (medium === undefined) return [];
    return [
      {
        type: 'interaction',
        receivedAt: instant(now()),
        interaction: {
          ...{ key: `${object}:${record}:${field}:opt-out:${at}`, provider: crm, kind: 'opt-out' },
          ...{
            channel: 'crm',
            direction: 'system',
            occurredAt: at,
            identifiers: [referenceTo(scope, record)],
          },
          properties: { record: object, field, medium, ...(value !== 'denied' && { scope: 'marketing' }) },
        },
      },
    ];
  });

/** What an adopted record adds: its addresses, and what the hub lacked or the CRM owns. */
export const adoptionInteraction = (
  ports: Pick<SyncPorts, 'crm' | 'scope' | 'now'>,
  { mapping }: Rules,
  { customer, ours }: Subject,
  record: HeldRecord,
): InteractionMessage =>
  crmInteraction(ports, {
    ...{ object: mapping.contact.object, record, act: 'adopted', at: instant(ports.now()), customer },
    inbound: firstInboundValues(mapping.contact.fields, ours, record.fields),
  });
