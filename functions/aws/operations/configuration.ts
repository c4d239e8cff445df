import { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { type LinkScope, linkScope } from '../../../core/identity/crm/accounts.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { configKey, connectionKey } from '../../contracts/keys.ts';
import { connectionOf } from '../../contracts/rows/connections.ts';
import { configOf } from '../../contracts/rows/operations.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { cache } from '../clients/cache.ts';
import type { Table } from '../clients/dynamo.ts';

/**
 * The running configuration: rows that a deploy seeds from `mappings/` and that a person may have edited since. Rejects with
 * `HubError` `missing-configuration` (later), or `ZodError`.
 */
export interface Config {
  hub(): Promise<HubConfig>;
  /** The ids of records in the CRMs that hub.yaml switches on, in the accounts in use, are its `references`. */
  identity(): Promise<IdentityConfig>;
  /** The parsed `mappings/crm/<crm>.yaml`, before the mapping engine validates it. */
  crmMapping(crm: string): Promise<unknown>;
}

/** A change of the configuration takes effect within this time. */
const FRESH_MS = 60_000;
const MOST_NAMES = 100;

/** What the links of CRMs begin with. */
export const linkScopes = async (
  table: Pick<Table, 'get'>,
  crms: readonly string[],
): Promise<ReadonlyMap<string, LinkScope>> => {
  const rows = await table.get(crms.map(connectionKey));
  const accounts = new Map(rows.map((row) => [row.pk, connectionOf(row).accounts]));
  return new Map(crms.map((crm) => [crm, linkScope(crm, accounts.get(connectionKey(crm).pk))]));
};

export const config = (runtime: Runtime, table: Table): Config => {
  const read = async (name: string): Promise<unknown> => {
    const [row] = await table.get([configKey(name)]);
    if (row === undefined) {
      throw new HubError(
        'missing-configuration',
        `The configuration ${name} was never applied to this hub. Deploy the stack again: its custom resource applies mappings/.`,
        { retry: 'later' },
      );
    }
    return configOf(row).body;
  };
  const fresh = { ttlMs: FRESH_MS, most: MOST_NAMES, now: runtime.now };
  const hub = cache(async (name) => tolerant(HubConfig).parse(await read(name)), fresh);
  const identity = cache(async (name): Promise<IdentityConfig> => {
    const [file, { crms }] = await Promise.all([read(name), hub.get('hub')]);
    const ids = Object.keys(crms);
    const scopes = await linkScopes(table, ids);
    return { ...tolerant(IdentityConfig).parse(file), references: new Set(ids), scopes };
  }, fresh);
  const mappings = cache(read, fresh);
  return {
    hub: () => hub.get('hub'),
    identity: () => identity.get('identity'),
    crmMapping: (crm) => mappings.get(`crm/${crm}`),
  };
};
