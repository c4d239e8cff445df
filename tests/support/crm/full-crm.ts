import { DatabaseSync } from 'node:sqlite';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { servicenowSandbox } from '../../../infra/sandbox/servicenow/server.ts';
import { crmFields } from '../../../infra/scenario/hub/sandboxes.ts';
import { openTestHub, type TestHub, type TestHubOptions } from '../open-test-hub.ts';
import { synthesiseHub } from '../synthesise-hub.ts';

/** The names of contacts in the CRMs' APIs. */
const crms = {
  salesforce: {
    ...{ object: 'Contact', key: 'Hub_Id__c', first: 'FirstName', last: 'LastName' },
    ...{ email: 'Email', phone: 'Phone', mobile: 'MobilePhone' },
  },
  hubspot: {
    ...{ object: 'contacts', key: 'hub_id', first: 'firstname', last: 'lastname' },
    ...{ email: 'email', phone: 'phone', mobile: 'mobilephone', more: 'hs_additional_emails' },
  },
  servicenow: {
    ...{ object: 'customer_contact', key: 'u_hub_id', first: 'first_name', last: 'last_name' },
    ...{ email: 'email', phone: 'phone', mobile: 'mobile_phone' },
  },
} as const;
export type Crm = keyof typeof crms;
export const crmIds: readonly Crm[] = ['salesforce', 'hubspot', 'servicenow'];

/** What staff write down of somebody; `more`: further addresses, which only HubSpot has. */
export type Known = Partial<Record<'first' | 'last' | 'email' | 'phone' | 'mobile' | 'more', string>>;

const MINUTE = 60_000;

/** A hub with one CRM, whose contacts were there before. */
export interface FullCrm {
  readonly hub: TestHub;
  readonly sandbox: Sandbox;
  /** The name of a field of contacts. */
  readonly fieldOf: (name: keyof Known | 'key') => string;
  /** Staff have written somebody down long ago. Returns the id of the record. */
  readonly seed: (known: Known) => string;
  /** Staff write somebody down now. Returns the id of the record. */
  readonly create: (known: Known) => string;
  readonly contacts: () => ReturnType<Sandbox['records']>;
  /** The ids of records by the hub's key in them. */
  readonly keyed: () => ReadonlyMap<string, readonly string[]>;
  /** Somebody writes from each of these. */
  readonly write: (identifiers: readonly string[], about: string) => void;
  readonly customer: (identifier: string) => Promise<{ readonly id: string }>;
  readonly start: (parameters?: object) => Promise<string>;
  readonly job: (
    id: string,
  ) => Promise<{ readonly state: string; readonly progress: { readonly counts: object } }>;
  /** Waits until a job has ended, and returns it. */
  readonly ended: (id: string) => ReturnType<FullCrm['job']>;
  /** What nobody wants to see: failures and reviews. */
  readonly trouble: () => Promise<readonly unknown[]>;
  readonly close: () => Promise<void>;
}

export const openFullCrm = async (crm: Crm, options: TestHubOptions = {}): Promise<FullCrm> => {
  const assembly = synthesiseHub({ crms: { [crm]: {} } });
  const hub = await openTestHub({ ...options, assembly });
  const servicenow =
    crm === 'servicenow'
      ? await servicenowSandbox(new DatabaseSync(':memory:'), {
          ...{ now: () => hub.clock.now(), customFields: crmFields.servicenow.customFields },
        })
      : undefined;
  if (servicenow !== undefined) await hub.setSecret('crm/servicenow', servicenow.secret);
  const sandbox: Sandbox = servicenow ?? hub.crms[crm === 'servicenow' ? 'salesforce' : crm];
  const names: Readonly<Record<string, string>> = crms[crm];
  const { object, key } = crms[crm];
  const fieldOf: FullCrm['fieldOf'] = (name) => names[name] ?? '';
  const named = (known: Known): Record<string, string> =>
    Object.fromEntries(
      Object.entries({ last: 'Known', ...known }).flatMap(([name, value]) =>
        names[name] === undefined ? [] : [[names[name], value]],
      ),
    );
  const contacts = () => sandbox.records(object);
  const job = async (id: string) => (await hub.api('GET', `/jobs/${id}`)).body;
  return {
    ...{ hub, sandbox, fieldOf, contacts, job },
    seed: (known) => sandbox.seed(object, named(known)),
    create: (known) => sandbox.staff.create(object, named(known)),
    keyed: () => {
      const ids = new Map<string, string[]>();
      for (const { id, fields } of contacts()) {
        const value = String(fields[key] ?? '');
        if (value !== '') ids.set(value, [...(ids.get(value) ?? []), id]);
      }
      return ids;
    },
    write(identifiers, about) {
      for (const one of identifiers) {
        const way = one.startsWith('email:')
          ? ({ channel: 'email', provider: 'ses' } as const)
          : ({ channel: 'sms', provider: 'twilio' } as const);
        hub.sendInteraction({ key: `${about} ${one}`, ...way, text: about, identifiers: [one] });
      }
    },
    customer: async (identifier) =>
      (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body,
    start: async (parameters = {}) =>
      (await hub.api('POST', '/jobs', { kind: 'adopt', parameters: { crm, ...parameters }, by: 'ada' })).body
        .id,
    async ended(id) {
      for (let minutes = 0; minutes < 180; minutes++) {
        const one = await job(id);
        if (one.state !== 'queued' && one.state !== 'running') return one;
        await hub.wait(MINUTE);
      }
      throw new Error(`The job ${id} does not end.`);
    },
    trouble: async () => [...(await hub.failures()), ...(await hub.api('GET', '/reviews')).body.items],
    async close() {
      await hub.stop();
      await servicenow?.stop();
      assembly.remove();
    },
  };
};
