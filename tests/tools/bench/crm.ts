import { DatabaseSync } from 'node:sqlite';
import { hubspot } from '../../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import { type CrmConnector, type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import type { SyncState } from '../../../core/crm/state.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import type { Links, SyncPorts } from '../../../functions/sync/ports.ts';
import { sync } from '../../../functions/sync/sync.ts';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { servicenowSandbox } from '../../../infra/sandbox/servicenow/server.ts';
import { crmFields, openSandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { readSeed } from '../../../infra/stack/seed.ts';
import type { Measured } from './measured.ts';

const CONTACTS = 2000;
const INTERACTIONS = 10_000;
/** As the stack has it: what a sync function is given at once. */
const BATCH = 500;
const at = '2026-03-01T09:00:00.000Z';

const customerOf = (serial: number, name: string, version: number): Customer => {
  const id = `c${serial}`;
  const sourceProfiles = {
    profile: {
      ...{
        id,
        version,
        name: { first: name, last: `Number${serial}` },
        tags: [],
        traits: {},
        consent: {},
        closed: {},
      },
      identifiers: [`email:ada${serial}@example.com`, `phone:+1415${String(5_550_000 + serial)}`],
      ...{
        preferences: {},
        firstSeenAt: at,
        merged: [],
        claimed: [],
        shownApart: [],
        confirmed: [],
        neverAutoMerge: [],
        confirmedDistinct: [],
        pendingReview: [],
      },
    },
    activity: {
      id,
      version: 1,
      lastSeenAt: at,
      interactions: 5,
      lastInboundAt: {},
      lastInboundMessageAt: {},
    },
  };
  return resolveCustomer(id, new Map([[id, sourceProfiles]]));
};
const serials = Array.from({ length: CONTACTS }, (_, serial) => serial);
const customers = serials.map((serial) => customerOf(serial, 'Ada', 1));
const changedCustomers = serials.map((serial) => customerOf(serial, 'Augusta', 2));

const interactions: readonly StoredInteraction[] = Array.from({ length: INTERACTIONS }, (_, serial) => {
  const customer = customers[serial % CONTACTS];
  if (customer === undefined) throw new Error('There are more interactions than customers.');
  return {
    ...{ id: `i${serial}`, kind: 'message', channel: serial % 2 === 0 ? 'sms' : 'email' },
    ...{ provider: 'bench', direction: 'inbound', occurredAt: at, receivedAt: at },
    ...{ identifiers: [...customer.identifiers], text: `Message ${serial}` },
    ...{ profileId: customer.id, customer: snapshotCustomer(customer, customer.id, false) },
  } as StoredInteraction;
});

/** The time between two calls, on a clock that runs by calls: within every limit of a CRM by the second, as the budget keeps it. */
const PACE_MS = 250;
let time = Date.parse(at);
const now = (): number => time;

/** The calls that the real sync, through each CRM's own client, makes of the sandbox. */
export const benchCrm = async (): Promise<Measured[]> => {
  const crms = await openSandboxes(new DatabaseSync(':memory:'), { now });
  const instance = await servicenowSandbox(new DatabaseSync(':memory:'), { ...crmFields.servicenow, now });
  try {
    return [
      ...(await measure(salesforce, crms.salesforce, { goal: 30, lookUps: '/query' })),
      ...(await measure(hubspot, crms.hubspot, { goal: 220, lookUps: '/search' })),
      ...(await measure(servicenow, instance, { goal: 80, lookUps: 'GET ' })),
    ];
  } finally {
    await crms.stop();
    await instance.stop();
  }
};

/** First the customers get their contacts; then each of them changes, and interacts five times. */
const measure = async (
  connector: CrmConnector,
  sandbox: Sandbox,
  { goal, lookUps }: { readonly goal: number; readonly lookUps: string },
): Promise<Measured[]> => {
  const worker = workerOf(connector, sandbox);
  await worker(customers, interactions.slice(0, CONTACTS));
  const before = { all: sandbox.requests(), lookUps: sandbox.requests(lookUps) };
  await worker(changedCustomers, interactions);
  return [
    {
      name: `calls to ${connector.title} for ${INTERACTIONS} interactions of ${CONTACTS} changed contacts`,
      measured: sandbox.requests() - before.all,
      unit: '',
      goal: { atMost: goal },
    },
    {
      name: `of these, look-ups of contacts in ${connector.title}`,
      measured: sandbox.requests(lookUps) - before.lookUps,
      unit: '',
      goal: { atMost: 0 },
    },
  ];
};

const unused = (): never => {
  throw new Error('The sync asks for customers and interactions by id alone.');
};

/** Links in memory. */
const linksOf = (): Links => {
  const states = new Map<string, SyncState>();
  const owned = new Map<string, string>();
  return {
    load: async (ids) => found(states, ids),
    owners: async (records) => found(owned, records),
    erased: async () => new Set(),
    async save(profileId, state, link) {
      if ((states.get(profileId)?.version ?? 0) !== state.version) return false;
      states.set(profileId, { ...state, version: state.version + 1 });
      if (link !== undefined) owned.set(link, profileId);
      return true;
    },
  };
};

/** A worker that writes customers and their interactions, as many at a time as a sync function is given. */
const workerOf = (connector: CrmConnector, sandbox: Sandbox) => {
  const mapping = compileMapping(connector.id, readSeed().crm[connector.id]);
  const identity = IdentityConfig.parse({});
  const links = linksOf();
  const signal = AbortSignal.timeout(600_000);
  let session: CrmSession | undefined;
  return async (people: readonly Customer[], events: readonly StoredInteraction[]): Promise<void> => {
    const byId = new Map(people.map((customer) => [customer.id, customer]));
    const stored = new Map(events.map((interaction) => [interaction.id, interaction]));
    const ports: SyncPorts = {
      ...{ crm: connector.id, title: connector.title, hub: 'bench', links, parked: new Set() },
      now,
      open: async () => {
        session ??= await connector.open(sandbox.secret, unsharedToken, signal);
        return session;
      },
      call: {
        signal,
        async spend() {
          time += PACE_MS;
        },
      },
      mapping: async () => mapping,
      identity: async () => identity,
      guests: { personOf: unused },
      history: {
        ...{ customer: unused, interaction: unused, timeline: unused, answers: unused, ledger: unused },
        customers: async (profileIds) => found(byId, profileIds),
        interactions: async (addresses) => addresses.flatMap(({ id }) => stored.get(id) ?? []),
      },
      queueAgain: async () => {},
      recordInteraction: unused,
      openReview: unused,
      saveFailure: async (_, error) => {
        throw error;
      },
      publishFailed: async () => {},
    };
    for (let start = 0; start < events.length; start += BATCH) {
      const batch = events.slice(start, start + BATCH).map(({ id, profileId, occurredAt }) => ({
        ...{ id, message: { profileId, interaction: id, occurredAt } },
      }));
      for (const { error } of (await sync(ports)(batch)).values()) throw error;
    }
  };
};

const found = <Value>(all: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> =>
  new Map(
    keys.flatMap((key) => {
      const value = all.get(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
