import { hubspot } from '../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../connectors/crm/salesforce/index.ts';
import { servicenow } from '../../connectors/crm/servicenow/index.ts';
import type { CrmConnector } from '../../core/crm/connector.ts';
import { badArguments } from '../terminal/bad-arguments.ts';

/** Every CRM by its id. */
export const crmConnectors: Readonly<Record<string, CrmConnector>> = { salesforce, hubspot, servicenow };

/** The connector of a CRM; undefined for an unknown id. */
export const crmConnectorOf = (id: string): CrmConnector | undefined =>
  Object.hasOwn(crmConnectors, id) ? crmConnectors[id] : undefined;

/** Throws `HubError` `invalid-arguments` for an unknown id. */
export const crmNamed = (id: string | undefined): CrmConnector => {
  const connector = id === undefined ? undefined : crmConnectorOf(id);
  if (connector !== undefined) return connector;
  throw badArguments(
    `Name one of the CRMs ${Object.keys(crmConnectors).join(', ')}${id === undefined ? '' : `, not ${id}`}.`,
  );
};
