import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { type Assembly, Template } from '../../infra/stack/assembly.ts';
import { functionModules } from '../../infra/stack/bundle.ts';
import { HubStack } from '../../infra/stack/index.ts';
import { readSeed } from '../../infra/stack/seed.ts';

/**
 * The assembly of a hub with other switches than those of `mappings/`, for functions that run from source: of each bundle
 * there is only the file that names its module. `remove` when the hub has stopped.
 */
export const synthesiseHub = (
  given: z.input<typeof HubConfig>,
): Assembly & { readonly remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-hub-'));
  const bundles = join(folder, 'bundles');
  for (const [name, module] of Object.entries(functionModules)) {
    mkdirSync(join(bundles, name), { recursive: true });
    writeFileSync(join(bundles, name, 'index.cjs'), '');
    writeFileSync(join(bundles, name, 'function.json'), JSON.stringify({ module }));
  }
  const hub = HubConfig.parse(given);
  const app = new App({ outdir: join(folder, 'out'), builtinCloudFormationValidation: false });
  const name = `tributary-${hub.name}`;
  new HubStack(app, name, { hub, seed: { ...readSeed(), hub: given }, bundles });
  const { directory } = app.synth();
  return {
    name,
    template: Template.parse(JSON.parse(readFileSync(join(directory, `${name}.template.json`), 'utf8'))),
    assetFolder: (key) => join(directory, `asset.${key.replace(/\.zip$/u, '')}`),
    remove: () => rmSync(folder, { recursive: true }),
  };
};
