import { DatabaseSync } from 'node:sqlite';
import { hubspot } from '../../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import type { CrmConnector } from '../../../core/crm/connector.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';
import type { HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { sync } from '../../../functions/sync/sync.ts';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { servicenowSandbox } from '../../../infra/sandbox/servicenow/server.ts';
import { crmFields, openSandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { readSeed } from '../../../infra/stack/seed.ts';
import { openAdoption } from '../../support/crm/adoption.ts';
import { openBackfill } from '../../support/crm/backfill.ts';
import { customerOf, linksInMemory, syncPortsOf } from '../../support/crm/in-memory.ts';
import type { Measured } from './measured.ts';

const CONTACTS = 2000;
const INTERACTIONS = 10_000;
const ADOPTED = 10_000;
/** As the stack has it: what a sync function is given at once. */
const BATCH = 1000;
const at = '2026-03-01T09:00:00.000Z';

const serials = Array.from({ length: CONTACTS }, (_, serial) => serial);
/** Customers, and the same after each has changed. */
const peopleOf = (isTalking: boolean) => ({
  before: serials.map((serial) => customerOf(serial, 'Ada', { isTalking })),
  after: serials.map((serial) => customerOf(serial, 'Augusta', { version: 2, isTalking })),
});
const silent = peopleOf(false);

const interactions: readonly StoredInteraction[] = Array.from({ length: INTERACTIONS }, (_, serial) => {
  const customer = silent.before[serial % CONTACTS];
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
/** The time of a call to an instance of ServiceNow that is too slow for batches of more than 250. */
const SLOW_MS = 11_000;
let time = Date.parse(at);
const now = (): number => time;

/** The calls that the real sync, through each CRM's own client, makes of the sandbox. */
export const benchCrm = async (): Promise<Measured[]> => {
  const crms = await openSandboxes(new DatabaseSync(':memory:'), { now });
  const opened: Sandbox[] = [];
  const inServicenow = async (load: Load): Promise<Measured[]> => {
    const instance = await servicenowSandbox(new DatabaseSync(':memory:'), { ...crmFields.servicenow, now });
    opened.push(instance);
    return measure(servicenow, instance, load);
  };
  try {
    return [
      await measureAdoption(),
      await measureBackfill('by collections', () => Number.POSITIVE_INFINITY, 80),
      await measureBackfill('by bulk jobs', (from) => from, 45),
      ...(await measure(salesforce, crms.salesforce, { goal: 30, lookUps: '/query' })),
      ...(await measure(hubspot, crms.hubspot, { goal: 220, lookUps: '/search' })),
      ...(await inServicenow({ goal: 80, lookUps: 'GET ' })),
      ...(await inServicenow({ goal: 80, lookUps: 'GET ', isTalking: true })),
      ...(await inServicenow({ goal: 80, lookUps: 'GET ', importSet: 'u_hub_customer_import' })),
      ...(await inServicenow({ lookUps: 'GET ', isSlow: true })),
      ...(await inServicenow({ lookUps: 'GET ', isTalking: true, isSlow: true })),
    ];
  } finally {
    await crms.stop();
    await Promise.all(opened.map((instance) => instance.stop()));
  }
};

/** A full org that is adopted: each of its contacts is a customer whom the hub knows. */
const measureAdoption = async (): Promise<Measured> => {
  const crms = await openSandboxes(new DatabaseSync(':memory:'));
  const adopted = Array.from({ length: ADOPTED }, (_, serial) => customerOf(serial, 'Ada'));
  for (let serial = 0; serial < ADOPTED; serial++)
    crms.salesforce.seed('Contact', { LastName: `Number${serial}`, Email: `ada${serial}@example.com` });
  try {
    await openAdoption(salesforce, crms.salesforce, adopted).run();
    const name = `calls to Salesforce to adopt ${ADOPTED} contacts`;
    return { name, measured: crms.salesforce.requests(), unit: '', goal: { atMost: 25 } };
  } finally {
    await crms.stop();
  }
};

/** People whom Salesforce does not have, and what they did; `from`: how many rows are worth a bulk job. */
const measureBackfill = async (
  name: string,
  from: (usual: number) => number,
  atMost: number,
): Promise<Measured> => {
  const crms = await openSandboxes(new DatabaseSync(':memory:'));
  const connector: CrmConnector = {
    ...salesforce,
    async open(...given) {
      const session = await salesforce.open(...given);
      const bulk = session.bulkWrites;
      return bulk === undefined ? session : { ...session, bulkWrites: { ...bulk, from: from(bulk.from) } };
    },
  };
  try {
    await openBackfill(connector, crms.salesforce, {
      customers: new Map(silent.before.map((customer) => [customer.id, customer])),
      interactions: new Map(interactions.map((interaction) => [interaction.id, interaction])),
    }).run();
    const load = `${INTERACTIONS} interactions of ${CONTACTS} people who are new there`;
    const measured = crms.salesforce.requests();
    return { name: `calls to Salesforce to backfill ${load}, ${name}`, measured, unit: '', goal: { atMost } };
  } finally {
    await crms.stop();
  }
};

interface Load {
  readonly goal?: number;
  /** With what the requests of a look-up begin. */
  readonly lookUps: string;
  /** Whether the customers are in conversation, so that a mapping with cases makes cases. */
  readonly isTalking?: boolean;
  /** Whether the CRM takes so long for a call that calls get no larger. */
  readonly isSlow?: boolean;
  /** The import set by which contacts are written. */
  readonly importSet?: string;
}

/** First the customers get their contacts; then each of them changes, and interacts five times. */
const measure = async (
  connector: CrmConnector,
  sandbox: Sandbox,
  { goal, lookUps, isTalking = false, isSlow = false, importSet }: Load,
): Promise<Measured[]> => {
  const { before: customers, after: changedCustomers } = isTalking ? peopleOf(true) : silent;
  const load = `${isTalking ? ', each in a conversation that is a case' : ''}${isSlow ? ', on a slow instance' : ''}${importSet ? ', contacts by an import set' : ''}`;
  const worker = workerOf(connector, sandbox, isSlow ? SLOW_MS : PACE_MS, importSet);
  await worker(customers, interactions.slice(0, CONTACTS));
  const before = { all: sandbox.requests(), lookUps: sandbox.requests(lookUps) };
  await worker(changedCustomers, interactions);
  return [
    {
      name: `calls to ${connector.title} for ${INTERACTIONS} interactions of ${CONTACTS} changed contacts${load}`,
      measured: sandbox.requests() - before.all,
      unit: '',
      ...(goal !== undefined && { goal: { atMost: goal } }),
    },
    {
      name: `of these, look-ups of contacts in ${connector.title}${load}`,
      measured: sandbox.requests(lookUps) - before.lookUps,
      unit: '',
      goal: { atMost: 0 },
    },
  ];
};

/** The shipped mapping of a CRM. */
const mappingWith = (crm: string, importSet: string | undefined): unknown => {
  const shipped = CrmMapping.parse(readSeed().crm[crm]);
  return { ...shipped, contact: { ...shipped.contact, ...(importSet !== undefined && { importSet }) } };
};

/** A worker that writes customers and their interactions, as many at a time as a sync function is given. */
const workerOf = (connector: CrmConnector, sandbox: Sandbox, paceMs: number, importSet?: string) => {
  const { links } = linksInMemory();
  let stored = { customers: new Map<string, Customer>(), interactions: new Map<string, StoredInteraction>() };
  const saveFailure = (_: string, error: HubError): void => {
    throw error;
  };
  const ports = syncPortsOf(connector, sandbox, {
    ...{ links, saveFailure, now, mapping: mappingWith(connector.id, importSet) },
    spend: async () => {
      time += paceMs;
    },
    get customers() {
      return stored.customers;
    },
    get interactions() {
      return stored.interactions;
    },
  });
  return async (people: readonly Customer[], events: readonly StoredInteraction[]): Promise<void> => {
    stored = {
      customers: new Map(people.map((customer) => [customer.id, customer])),
      interactions: new Map(events.map((interaction) => [interaction.id, interaction])),
    };
    for (let start = 0; start < events.length; start += BATCH) {
      const batch = events.slice(start, start + BATCH).map(({ id, profileId, occurredAt }) => ({
        ...{ id, message: { profileId, interaction: id, occurredAt } },
      }));
      for (const { error } of (await sync(ports)(batch)).values()) throw error;
    }
  };
};
