import { DatabaseSync } from 'node:sqlite';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import type { CasesState } from '../../../core/crm/cases.ts';
import { CrmChange } from '../../../core/crm/change.ts';
import { unsharedToken } from '../../../core/crm/connector.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import type { SyncState } from '../../../core/crm/state.ts';
import type { HubError } from '../../../core/errors.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { Profile } from '../../../core/identity/profile.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import {
  applyToConversation,
  type Conversation,
  closedConversation,
} from '../../../core/timeline/conversation.ts';
import type { CommandMessage, InteractionMessage } from '../../../functions/contracts/messages/record.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { applyChanges } from '../../../functions/sync/changes/changes.ts';
import type { SyncPorts } from '../../../functions/sync/ports.ts';
import { sync } from '../../../functions/sync/sync.ts';
import { servicenowSandbox } from '../../../infra/sandbox/servicenow/server.ts';
import { crmFields } from '../../../infra/scenario/hub/sandboxes.ts';
import { readSeed } from '../../../infra/stack/seed.ts';
import { decodeWith } from '../../support/decode.ts';

const SILENCE_MS = 72 * 3_600_000;
const unused = (): never => {
  throw new Error('Nobody asks for this.');
};

const found = <Value>(all: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> =>
  new Map(keys.flatMap((key) => (all.has(key) ? [[key, all.get(key) as Value] as const] : [])));

/** One row per key, each written on the condition that its version is the one that was read. */
const versioned = <State extends { readonly version: number }>() => {
  const rows = new Map<string, State>();
  return {
    rows,
    load: async (ids: readonly string[]) => found(rows, ids),
    async save(id: string, state: State): Promise<boolean> {
      if ((rows.get(id)?.version ?? 0) !== state.version) return false;
      rows.set(id, { ...state, version: state.version + 1 });
      return true;
    },
  };
};

/** A hub with the shipped mapping of ServiceNow, whose people are in conversation, and workers of its sync. */
export const caseHub = async () => {
  const clock = { now: Date.parse('2026-03-02T09:00:00Z') };
  const sandbox = await servicenowSandbox(new DatabaseSync(':memory:'), {
    ...crmFields.servicenow,
    now: () => clock.now,
  });
  const session = await servicenow.open(sandbox.secret, unsharedToken, AbortSignal.timeout(30_000));
  const mapping = compileMapping('servicenow', readSeed().crm['servicenow']);
  const identity = IdentityConfig.parse({});
  const [states, cases] = [versioned<SyncState>(), versioned<CasesState>()];
  const owned = new Map<string, string>();
  const conversations = new Map<string, Conversation>();
  const profiles = new Map<string, Profile>();
  const stored = new Map<string, StoredInteraction>();
  const failures: HubError[] = [];
  const commands: CommandMessage[] = [];
  const reported: InteractionMessage[] = [];
  const at = (): string => new Date(clock.now).toISOString();

  const customerOf = (id: string): Customer | undefined => {
    const profile = profiles.get(id);
    if (profile === undefined) return undefined;
    const conversation = conversations.get(id);
    const activity = {
      ...{ id, version: 1, interactions: 0, lastInboundAt: {}, lastInboundMessageAt: {}, lastSeenAt: at() },
      ...(conversation && { conversation }),
    };
    return resolveCustomer(id, new Map([[id, { profile, activity }]]));
  };
  const customersOf = async (ids: readonly string[]) =>
    new Map(ids.flatMap((id) => [customerOf(id)].flatMap((one) => (one ? [[id, one] as const] : []))));

  const ports: SyncPorts = {
    ...{
      crm: 'servicenow',
      scope: 'servicenow',
      title: 'ServiceNow',
      hub: 'test',
      parked: new Set(),
      now: () => clock.now,
    },
    open: async () => session,
    call: { signal: AbortSignal.timeout(30_000), spend: async () => undefined, sleep: async () => undefined },
    ...{ mapping: async () => mapping, identity: async () => identity, silence: async () => SILENCE_MS },
    guests: { personOf: async () => undefined, guestsOf: async () => [] },
    ...{ erasedAt: async () => new Map(), identifierOwners: async () => new Map() },
    history: {
      ...{ interaction: unused, timeline: unused, answers: unused, ledger: unused },
      customer: async (id) => customerOf(id),
      customers: customersOf,
      interactions: async (addresses) => addresses.flatMap(({ id }) => stored.get(id) ?? []),
    },
    links: {
      load: states.load,
      owners: async (records) => found(owned, records),
      erased: async () => new Set(),
      takeOver: unused,
      async save(profileId, state, link) {
        if (!(await states.save(profileId, state))) return false;
        if (link !== undefined) owned.set(link, profileId);
        return true;
      },
    },
    cases,
    recordInteraction: async (message) => void reported.push(message),
    recordCommand: async (command) => void commands.push(command),
    queueAgain: async () => {},
    openReview: unused,
    saveFailure: async (_, error) => void failures.push(error),
    publishFailed: async () => {},
  };

  return {
    ...{ sandbox, session, ports, clock, cases, failures, commands, reported, at },
    person(id: string): void {
      profiles.set(
        id,
        Profile.parse({
          ...{ id, version: 1, firstSeenAt: at(), identifiers: [`email:${id}@example.com`] },
          name: { first: id, last: 'Test' },
          ...{
            tags: [],
            traits: {},
            consent: {},
            closed: {},
            preferences: {},
            merged: [],
            neverAutoMerge: [],
          },
        }),
      );
    },
    /** Something that is said now; it is stored, and not written yet. */
    say(profileId: string, text: string, more: Partial<StoredInteraction> = {}): StoredInteraction {
      const customer = customerOf(profileId);
      if (customer === undefined) throw new Error(`There is no ${profileId}.`);
      const interaction: StoredInteraction = {
        ...{
          id: `i${stored.size}`,
          kind: 'message',
          channel: 'email',
          provider: 'ses',
          direction: 'inbound',
        },
        ...{ occurredAt: at(), receivedAt: at(), identifiers: [...customer.identifiers], text },
        ...{ profileId, customer: snapshotCustomer(customer, profileId, false) },
        ...more,
      };
      const { customer: _, profileId: __, receivedAt: ___, ...plain } = interaction;
      const next = applyToConversation(conversations.get(profileId), plain, SILENCE_MS);
      if (next) conversations.set(profileId, next);
      stored.set(interaction.id, interaction);
      return interaction;
    },
    close(profileId: string): void {
      conversations.set(profileId, closedConversation(conversations.get(profileId), at(), SILENCE_MS));
    },
    /** One worker's batch: interactions, or the ids of customers. Resolves to how many messages wait. */
    async work(...batch: readonly (StoredInteraction | string)[]): Promise<number> {
      const messages = batch.map((one, position) =>
        typeof one === 'string'
          ? { id: String(position), message: { profileId: one } }
          : {
              id: String(position),
              message: { profileId: one.profileId, interaction: one.id, occurredAt: one.occurredAt },
            },
      );
      return (await sync(ports)(messages)).size;
    },
    /** ServiceNow reports a case as it is now, through the webhook of its business rule. */
    async report(): Promise<void> {
      const payload = sandbox.records('sn_customerservice_case').map(({ id, fields }) => {
        const { state, contact, sys_updated_on } = fields;
        return { table: 'sn_customerservice_case', sys_id: id, state, contact, sys_updated_on };
      });
      const { interactions } = await decodeWith('servicenow', payload);
      const changes = interactions.flatMap(({ change }) => (change ? [CrmChange.parse(change)] : []));
      await applyChanges(ports)(
        changes.map((change, position) => ({ id: String(position), message: { change } })),
      );
    },
    inCrm: () => ({
      cases: sandbox.records('sn_customerservice_case').map(({ fields }) => ({
        ...{ title: fields['short_description'], state: fields['state'] },
      })),
      notes: sandbox.records('sys_journal_field').map(({ fields }) => fields['value']),
    }),
  };
};
export type CaseHub = Awaited<ReturnType<typeof caseHub>>;
