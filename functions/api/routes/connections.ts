import type { Connections } from '../../aws/operations/connections.ts';
import { json, pathParameter, type Routes } from './route.ts';

export interface ConnectionPorts {
  readonly connections: Connections;
  /** The CRMs that are switched on. */
  readonly crms: () => Promise<readonly string[]>;
}

/** The connections to the CRMs: how they are, and a probe at once. */
export const connectionRoutes: Routes<ConnectionPorts> = {
  'GET /connections': async (_event, { connections, crms }) =>
    json(200, { items: await connections.list(await crms()) }),
  'POST /connections/{crm}/probe': async (event, { connections }) => {
    const crm = pathParameter(event, 'crm');
    await connections.probe(crm);
    return json(202, { crm });
  },
};
