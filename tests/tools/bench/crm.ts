import { DatabaseSync } from 'node:sqlite';
import { hubspot } from '../../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import type { CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { compileMapping } from '../../../core/crm/mapping.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import type { SyncState } from '../../../functions/sync/contacts.ts';
import { sync } from '../../../functions/sync/sync.ts';
import { hubspotToken } from '../../../infra/sandbox/hubspot/server.ts';
import { salesforceCredentials } from '../../../infra/sandbox/salesforce/server.ts';
import { openSandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { readSeed } from '../../../infra/stack/seed.ts';
import type { Measured } from './measured.ts';

const CONTACTS = 2000;
const INTERACTIONS = 10_000;
/** As the stack has it: what a sync function is given at once. */
const BATCH = 500;
const at = '2026-03-01T09:00:00.000Z';

const customers: readonly Customer[] = Array.from({ length: CONTACTS }, (_, serial) => {
  const id = `c${serial}`;
  const sourceProfiles = {
    profile: {
      ...{
        id,
        version: 1,
        name: { full: `Ada Number${serial}` },
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
});

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

/** The calls that the real sync, through each CRM's own client, makes of the sandbox. */
export const benchCrm = async (): Promise<Measured[]> => {
  const crms = await openSandboxes(new DatabaseSync(':memory:'));
  const measure = async (
    connector: CrmConnector,
    credentials: object,
    atMost: number,
    calls: () => number,
  ): Promise<Measured> => {
    await run(connector, credentials);
    return {
      name: `calls to ${connector.title} for ${INTERACTIONS} interactions of ${CONTACTS} changed contacts`,
      measured: calls(),
      unit: '',
      goal: { atMost },
    };
  };
  try {
    return [
      await measure(
        salesforce,
        { loginUrl: crms.salesforce.url, ...salesforceCredentials },
        30,
        crms.salesforce.calls,
      ),
      await measure(
        hubspot,
        { accessToken: hubspotToken, baseUrl: crms.hubspot.url },
        220,
        crms.hubspot.calls,
      ),
    ];
  } finally {
    await crms.stop();
  }
};

const run = async (connector: CrmConnector, credentials: object): Promise<void> => {
  const byId = new Map(customers.map((customer) => [customer.id, customer]));
  const stored = new Map(interactions.map((interaction) => [interaction.id, interaction]));
  const states = new Map<string, SyncState>();
  const mapping = compileMapping(connector.id, readSeed().crm[connector.id]);
  const identity = IdentityConfig.parse({});
  let session: CrmSession | undefined;
  const unused = (): never => {
    throw new Error('The sync asks for customers and interactions by id alone.');
  };
  const use = sync({
    crm: connector.id,
    open: async () => {
      session ??= await connector.open(credentials);
      return session;
    },
    mapping: async () => mapping,
    identity: async () => identity,
    guests: { personOf: unused },
    history: {
      customer: unused,
      customers: async (profileIds) => found(byId, profileIds),
      interaction: unused,
      interactions: async (addresses) => addresses.flatMap(({ id }) => stored.get(id) ?? []),
      timeline: unused,
      answers: unused,
      ledger: unused,
    },
    states: async (ids) => found(states, ids),
    remember: async (id, state) => void states.set(id, state),
    saveFailure: async (_, error) => {
      throw error;
    },
    publishFailed: async () => {},
  });
  for (let start = 0; start < interactions.length; start += BATCH) {
    const unsynced = await use(
      interactions.slice(start, start + BATCH).map(({ id, profileId, occurredAt }) => ({
        ...{ id, message: { profileId, interaction: id, occurredAt } },
      })),
    );
    for (const error of unsynced.values()) throw error;
  }
};

const found = <Value>(all: ReadonlyMap<string, Value>, keys: readonly string[]): Map<string, Value> =>
  new Map([...all].filter(([key]) => keys.includes(key)));
