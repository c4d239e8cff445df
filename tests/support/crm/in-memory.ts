import type { CasesState } from '../../../core/crm/cases.ts';
import { type CrmConnector, type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import type { SyncState } from '../../../core/crm/state.ts';
import type { HubError } from '../../../core/errors.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { Conversation } from '../../../core/timeline/conversation.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import type { CaseRows } from '../../../functions/sync/cases/case-rows.ts';
import type { Links, SyncPorts } from '../../../functions/sync/ports.ts';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { readSeed } from '../../../infra/stack/seed.ts';

const AT = '2026-03-01T09:00:00.000Z';

const thread: Conversation['threads'][number] = {
  startedAt: AT,
  lastAt: AT,
  channels: ['sms'],
  asked: AT,
  answers: [],
};

/** A customer who has an e-mail address and a number of their own. `isTalking`: in a conversation that is open. */
export const customerOf = (
  serial: number,
  first: string,
  { version = 1, isTalking = false }: { readonly version?: number; readonly isTalking?: boolean } = {},
): Customer => {
  const id = `c${serial}`;
  const sourceProfiles = {
    profile: {
      ...{ id, version, name: { first, last: `Number${serial}` }, tags: [], traits: {} },
      identifiers: [`email:ada${serial}@example.com`, `phone:+1415${String(5_550_000 + serial)}`],
      ...{ consent: {}, closed: {}, preferences: {}, firstSeenAt: AT, merged: [], claimed: [] },
      ...{ shownApart: [], confirmed: [], neverAutoMerge: [], confirmedDistinct: [], pendingReview: [] },
    },
    activity: {
      ...{ id, version: 1, lastSeenAt: AT, interactions: 5, lastInboundAt: {}, lastInboundMessageAt: {} },
      ...(isTalking && { conversation: { threads: [thread], open: [AT], lastAsked: AT } }),
    },
  };
  return resolveCustomer(id, new Map([[id, sourceProfiles]]));
};

export const found = <Value>(all: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> =>
  new Map(
    keys.flatMap((key) => {
      const value = all.get(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );

/** The states of contacts by source profile, and the rules of the table about them. */
export const linksInMemory = (): { readonly links: Links; readonly states: Map<string, SyncState> } => {
  const states = new Map<string, SyncState>();
  const owned = new Map<string, string>();
  const links: Links = {
    takeOver: unused,
    load: async (ids) => found(states, ids),
    owners: async (records) => found(owned, records),
    erased: async () => new Set(),
    async save(profileId, state, link) {
      const owner = link === undefined ? profileId : (owned.get(link) ?? profileId);
      if ((states.get(profileId)?.version ?? 0) !== state.version || owner !== profileId) return false;
      states.set(profileId, { ...state, version: state.version + 1 });
      if (link !== undefined) owned.set(link, profileId);
      return true;
    },
  };
  return { links, states };
};

/** The cases of source profiles, and the rule of the table about them. */
const casesInMemory = (): CaseRows => {
  const rows = new Map<string, CasesState>();
  return {
    load: async (ids) => found(rows, ids),
    async save(profileId, state) {
      if ((rows.get(profileId)?.version ?? 0) !== state.version) return false;
      rows.set(profileId, { ...state, version: state.version + 1 });
      return true;
    },
  };
};

const unused = (): never => {
  throw new Error('The sync asks for customers and interactions by id alone.');
};

interface Stored {
  readonly customers: ReadonlyMap<string, Customer>;
  readonly interactions?: ReadonlyMap<string, StoredInteraction>;
  readonly links: Links;
  readonly saveFailure: (queued: string, error: HubError) => void;
  /** The content of the file in `mappings/crm`; default the shipped one. */
  readonly mapping?: unknown;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Called before every request. */
  readonly spend?: () => Promise<void>;
}

/** What a sync with a sandbox needs; customers are looked up in memory. */
export const syncPortsOf = (connector: CrmConnector, sandbox: Sandbox, stored: Stored): SyncPorts => {
  const mapping = compileMapping(connector.id, stored.mapping ?? readSeed().crm[connector.id]);
  const identity = IdentityConfig.parse({});
  const signal = AbortSignal.timeout(600_000);
  let session: CrmSession | undefined;
  return {
    ...{
      crm: connector.id,
      scope: connector.id,
      title: connector.title,
      hub: 'bench',
      links: stored.links,
      parked: new Set(),
    },
    now: stored.now ?? Date.now,
    open: async () => {
      session ??= await connector.open(sandbox.secret, unsharedToken, signal);
      return session;
    },
    call: {
      ...{ signal, spend: stored.spend ?? (async () => undefined), sleep: async () => undefined },
      ...(stored.now !== undefined && { now: stored.now }),
    },
    mapping: async () => mapping,
    identity: async () => identity,
    guests: { personOf: unused, guestsOf: unused },
    history: {
      ...{ customer: unused, interaction: unused, timeline: unused, answers: unused, ledger: unused },
      customers: async (profileIds) => found(stored.customers, profileIds),
      interactions: async (addresses) => addresses.flatMap(({ id }) => stored.interactions?.get(id) ?? []),
    },
    ...{ erasedAt: async () => new Map(), identifierOwners: async () => new Map() },
    cases: casesInMemory(),
    silence: async () => 72 * 3_600_000,
    queueAgain: async () => {},
    ...{ recordInteraction: async () => {}, recordCommand: unused },
    openReview: unused,
    saveFailure: async (queued, error) => stored.saveFailure(queued, error),
    publishFailed: async () => {},
  };
};
