import { httpConnector } from '../../connectors/crm/http/index.ts';
import { hubspot } from '../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../connectors/crm/salesforce/index.ts';
import { servicenow } from '../../connectors/crm/servicenow/index.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import type { CrmConnector, CrmLogin } from '../../core/crm/connector.ts';
import type { HttpSection } from '../../core/crm/mapping/http.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { readMapping } from './account.ts';

/** Every CRM that has a connector of its own, by its id. */
export const crmConnectors: Readonly<Record<string, CrmConnector>> = { salesforce, hubspot, servicenow };

/** The names of the CRMs: those with a connector of their own, and those that hub.yaml gives the connector `http`. */
export const crmNames = (): string[] => [
  ...Object.keys(crmConnectors),
  ...Object.entries(HubConfig.parse(readSeed().hub).crms).flatMap(([crm, { connector }]) =>
    connector === 'http' ? [crm] : [],
  ),
];

/** The connector of a CRM; undefined for an unknown id. */
export const crmConnectorOf = (id: string): CrmConnector | undefined => {
  if (Object.hasOwn(crmConnectors, id)) return crmConnectors[id];
  return crmNames().includes(id) ? connectorByMapping(id) : undefined;
};

/** Throws `HubError` `invalid-arguments` for an unknown id. */
export const crmNamed = (id: string | undefined): CrmConnector => {
  const connector = id === undefined ? undefined : crmConnectorOf(id);
  if (connector !== undefined) return connector;
  throw badArguments(
    `Name one of the CRMs ${crmNames().join(', ')}${id === undefined ? '' : `, not ${id}`}.`,
  );
};

/** A CRM of the connector `http`, which is made of its mapping. */
const connectorByMapping = (crm: string): CrmConnector => {
  const section = (): HttpSection => {
    const { mapping, name } = readMapping(crm);
    if (mapping.http !== undefined) return mapping.http;
    throw badArguments(`${name} has no section http (docs/crm/http-crm.md).`);
  };
  const http = section();
  return {
    ...httpConnector({
      ...{ crm, title: crm, section: async () => http },
      world: { fetch, now: Date.now, isLocal: process.env['AWS_ENDPOINT_URL'] !== undefined },
    }),
    logins: [loginOf(crm, http)],
  };
};

/** The parts of the secret are those that the templates of the mapping name, such as `{{ secret.token }}`. */
const loginOf = (crm: string, http: HttpSection): CrmLogin => {
  const parts = [...JSON.stringify(http).matchAll(/\bsecret\.([A-Za-z_]\w*)/gu)].flatMap(
    ([, part]) => part ?? [],
  );
  return {
    id: 'mapping',
    title: `what the mapping of ${crm} names`,
    secrets: Object.fromEntries(
      [...new Set(parts)].map((part) => [part, { about: `{{ secret.${part} }} of the mapping` }]),
    ),
    steps: [`Make a user for the hub in ${crm}, at ${http.host}, that may do what the mapping asks for.`],
  };
};
