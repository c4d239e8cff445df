import { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { configKey } from '../../contracts/keys.ts';
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
  /** The ids of records in the CRMs that hub.yaml switches on are its `references`. */
  identity(): Promise<IdentityConfig>;
  /** The parsed `mappings/crm/<crm>.yaml`, before the mapping engine validates it. */
  crmMapping(crm: string): Promise<unknown>;
}

/** A change of the configuration takes effect within this time. */
const FRESH_MS = 60_000;
const MOST_NAMES = 100;

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
    return { ...tolerant(IdentityConfig).parse(file), references: new Set(Object.keys(crms)) };
  }, fresh);
  const mappings = cache(read, fresh);
  return {
    hub: () => hub.get('hub'),
    identity: () => identity.get('identity'),
    crmMapping: (crm) => mappings.get(`crm/${crm}`),
  };
};
