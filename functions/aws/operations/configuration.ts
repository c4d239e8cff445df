import { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import { IdentityConfig } from '../../../core/identity/rules.ts';
import { configKey } from '../../contracts/keys.ts';
import { ConfigRow } from '../../contracts/rows/operations.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';

/** The running configuration: rows that a deploy seeds from `mappings/` and that a person may have changed since. */
export interface Config {
  hub(): Promise<HubConfig>;
  identity(): Promise<IdentityConfig>;
  /** `mappings/crm/<crm>.yaml` as it was parsed, still to be checked by the mapping engine. */
  crmMapping(crm: string): Promise<unknown>;
}

/** How long a change of the configuration may go unnoticed. */
const FRESH_MS = 60_000;

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
    return ConfigRow.parse(row).body;
  };
  const fresh = <Value>(name: string, parse: (body: unknown) => Value): (() => Promise<Value>) => {
    let cached: { readonly until: number; readonly value: Promise<Value> } | undefined;
    return () => {
      if (cached && cached.until > runtime.now()) return cached.value;
      const value = read(name).then(parse);
      cached = { until: runtime.now() + FRESH_MS, value };
      value.catch(() => {
        cached = undefined;
      });
      return value;
    };
  };
  const mappings = new Map<string, () => Promise<unknown>>();
  return {
    hub: fresh('hub', (body) => HubConfig.parse(body)),
    identity: fresh('identity', (body) => IdentityConfig.parse(body)),
    crmMapping(crm) {
      const mapping = mappings.get(crm) ?? fresh(`crm/${crm}`, (body) => body);
      mappings.set(crm, mapping);
      return mapping();
    },
  };
};
