import { createHash } from 'node:crypto';
import type { CrmRecord, CrmResult, CrmSession } from '../../core/crm.ts';
import type { Customer } from '../../core/customer.ts';
import { HubError } from '../../core/errors.ts';
import type { IdentityConfig } from '../../core/identity.ts';
import type { Interaction } from '../../core/interaction.ts';
import { type CompiledMapping, customerView } from '../../core/mapping.ts';
import type { History, StoredInteraction } from '../ports.ts';
import type { SyncMessage } from './message.ts';

/** What the CRM holds of a customer as far as the hub knows. */
export interface SyncState {
  readonly contact: string;
  /** Of the mapped fields: unchanged records cost no call. */
  readonly hash: string;
  /** Fields of `write: if-empty` that the hub has filled. */
  readonly written: readonly string[];
}

export interface SyncPorts {
  readonly crm: string;
  readonly open: () => Promise<CrmSession>;
  readonly mapping: () => Promise<CompiledMapping>;
  readonly identity: () => Promise<IdentityConfig>;
  readonly history: History;
  readonly states: (customers: readonly string[]) => Promise<ReadonlyMap<string, SyncState>>;
  readonly remember: (customer: string, state: SyncState) => Promise<void>;
  /** Keeps for a person what failed for good: the message by its id in the queue, and why. */
  readonly keepFailure: (queued: string, error: HubError) => Promise<void>;
  readonly tellFailed: (customer: string, error: HubError) => Promise<void>;
}

export interface Queued {
  readonly id: string;
  readonly message: SyncMessage;
}

/** Messages that must come again, each with the reason; the others are done or kept as failures. */
export type Unsynced = ReadonlyMap<string, HubError>;

/**
 * Brings the customers of a batch and their interactions into the CRM by our own ids. State-based: whatever the order of
 * events, the CRM ends with the newest state. One bad record is a failure of its own.
 */
export const sync =
  (ports: SyncPorts) =>
  async (batch: readonly Queued[]): Promise<Unsynced> => {
    const unsynced = new Map<string, HubError>();
    const mapping = await ports.mapping();
    const identity = await ports.identity();
    const customers = await ports.history.customers([...new Set(batch.map(({ message }) => message.half))]);
    const states = await ports.states([...new Set([...customers.values()].map(({ id }) => id))]);
    const contacts = new Map([...states].map(([id, { contact }]) => [id, contact]));
    const changed = new Map<string, { record: CrmRecord; state: Omit<SyncState, 'contact'> }>();
    for (const customer of new Map([...customers.values()].map((one) => [one.id, one])).values()) {
      const written = states.get(customer.id)?.written ?? [];
      const fields = mapping.contact.fields(customerView(customer, identity), written);
      const hash = digest(fields);
      if (states.get(customer.id)?.hash !== hash) {
        const filled = mapping.contact.once.filter((name) => name in fields || written.includes(name));
        // What is filled now is left out from now on, so the hash is that of the rest.
        const rest = mapping.contact.fields(customerView(customer, identity), filled);
        changed.set(customer.id, {
          record: { key: customer.id, fields },
          state: { hash: digest(rest), written: filled },
        });
      }
    }
    try {
      const session = await ports.open();
      const refused = new Map<string, HubError>();
      const results =
        changed.size === 0
          ? []
          : await session.upsert(
              mapping.contact.object,
              mapping.contact.key,
              [...changed.values()].map(({ record }) => record),
            );
      for (const result of results) {
        if ('error' in result) refused.set(result.key, result.error);
        else {
          contacts.set(result.key, result.id);
          await ports.remember(result.key, {
            contact: result.id,
            ...(changed.get(result.key)?.state ?? { hash: '', written: [] }),
          });
        }
      }
      const logged = await logInteractions(ports, session, mapping, batch, customers, contacts, refused);
      for (const { id, message } of batch) {
        const customer = customers.get(message.half);
        const error =
          (customer && refused.get(customer.id)) ??
          (message.interaction === undefined ? undefined : logged.get(message.interaction));
        if (error === undefined || customer === undefined) continue;
        if (error.retry !== 'never') unsynced.set(id, error);
        else {
          await ports.keepFailure(id, error);
          await ports.tellFailed(customer.id, error);
        }
      }
    } catch (error) {
      const known =
        error instanceof HubError
          ? error
          : new HubError(
              `${ports.crm}-failed`,
              `The sync with ${ports.crm} failed; the records wait in the queue.`,
              { retry: 'later', cause: error },
            );
      for (const { id } of batch) unsynced.set(id, known);
    }
    return unsynced;
  };

const digest = (fields: object): string =>
  createHash('sha256').update(JSON.stringify(fields)).digest('base64url');

const logInteractions = async (
  ports: SyncPorts,
  session: CrmSession,
  mapping: CompiledMapping,
  batch: readonly Queued[],
  customers: ReadonlyMap<string, Customer>,
  contacts: ReadonlyMap<string, string>,
  refused: ReadonlyMap<string, HubError>,
): Promise<Map<string, HubError>> => {
  const addresses = batch.flatMap(({ message: { half, interaction: id, occurredAt } }) =>
    id === undefined || occurredAt === undefined ? [] : [{ half, id, occurredAt }],
  );
  const interactions = await ports.history.interactions(addresses);
  const groups = new Map<string, { object: string; key: string; records: CrmRecord[] }>();
  for (const interaction of interactions) {
    const customer = customers.get(interaction.half);
    const rule = mapping.forInteraction(interaction);
    const contact = customer && contacts.get(customer.id);
    if (customer === undefined || rule === undefined || contact === undefined || refused.has(customer.id))
      continue;
    const group = groups.get(rule.object) ?? { object: rule.object, key: rule.key, records: [] };
    group.records.push({ key: interaction.id, fields: rule.fields(interactionView(interaction)), contact });
    groups.set(rule.object, group);
  }
  const failed = new Map<string, HubError>();
  for (const { object, key, records } of groups.values()) {
    const results: CrmResult[] = await session.upsert(object, key, records);
    for (const result of results) if ('error' in result) failed.set(result.key, result.error);
  }
  return failed;
};

/** An interaction as mappings name it: its own fields. */
const interactionView = ({ customer: _, half: _half, ...interaction }: StoredInteraction): Interaction =>
  interaction;
