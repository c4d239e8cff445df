import * as z from 'zod';
import { previewContact } from '../../../core/crm/check/preview.ts';
import { asContact, customerView, isReachable, profileWithContact } from '../../../core/crm/customer-view.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { type SyncState, unknownState } from '../../../core/crm/state.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { Connections } from '../../aws/operations/connections.ts';
import type { Guests } from '../../contracts/ports/guests.ts';
import type { History } from '../../contracts/ports/history.ts';
import { problem } from '../../middleware/http.ts';
import { json, jsonBody, pathParameter, type Routes, withCustomer } from './route.ts';

export interface ConnectionPorts {
  readonly connections: Connections;
  /** The CRMs that are switched on. */
  readonly crms: () => Promise<readonly string[]>;
  /** The senders that hub.yaml names. */
  readonly senders: () => Promise<readonly string[]>;
}

/** `account`: the account of the CRM in which the hub is to go on, if the secret leads to it. */
const Probe = z.strictObject({ account: z.string().min(1).max(200).optional() });

/** The connections to the CRMs and the senders: how they are, and a probe of a CRM at once. */
export const connectionRoutes: Routes<ConnectionPorts> = {
  'GET /connections': async (_event, { connections, crms, senders }) => {
    const [items, sending] = await Promise.all([
      connections.list(await crms()),
      connections.senders(await senders()),
    ]);
    return json(200, { items, senders: sending });
  },
  'POST /connections/{crm}/probe': async (event, { connections }) => {
    const crm = pathParameter(event, 'crm');
    const asked = Probe.safeParse(event.body === undefined ? {} : jsonBody(event));
    if (!asked.success) return problem(400, 'invalid-probe', z.prettifyError(asked.error));
    await connections.probe(crm, asked.data.account);
    return json(202, { crm });
  },
};

export interface PreviewPorts {
  readonly history: History;
  readonly personOf: Guests['personOf'];
  readonly identity: () => Promise<IdentityConfig>;
  /** The CRMs that are switched on. */
  readonly crms: () => Promise<readonly string[]>;
  /** `mappings/crm/<crm>.yaml` as it is in force. */
  readonly crmMapping: (crm: string) => Promise<unknown>;
  /** What is known of the contacts of source profiles in a CRM. */
  readonly syncStates: (
    crm: string,
    profileIds: readonly string[],
  ) => Promise<ReadonlyMap<string, SyncState>>;
}

/** What the hub would write to a CRM for a customer now. */
export const previewRoutes: Routes<PreviewPorts> = {
  'GET /customers/{id}/crm/{crm}': withCustomer(async (asked, event, ports) => {
    const crm = pathParameter(event, 'crm');
    if (!(await ports.crms()).includes(crm))
      return problem(404, 'unknown-crm', `This hub is not connected to a CRM ${crm}.`);
    const customer = asked.guest ? ((await ports.personOf(asked)) ?? asContact(asked)) : asked;
    const ids = customer.sourceProfiles.map(({ profile }) => profile.id);
    const states = await ports.syncStates(crm, ids);
    const state = states.get(profileWithContact(customer, states)) ?? unknownState;
    const preview = previewContact(crm, compileMapping(crm, await ports.crmMapping(crm)), {
      ...{ state, view: customerView(customer, await ports.identity()) },
      isReachable: isReachable(customer),
    });
    return json(200, { crm, customer: customer.id, ...preview });
  }),
};
