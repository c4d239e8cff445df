import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { functionModules } from './bundle.ts';
import { HubStack } from './index.ts';
import { readSeed } from './seed.ts';

/**
 * Synthesises a hub with other switches than those of `mappings/` into a folder, for functions that run from source: of each
 * bundle there is only the file that names its module.
 */
export const synthesiseFromSource = (given: z.input<typeof HubConfig>, out: string): void => {
  const bundles = mkdtempSync(join(tmpdir(), 'tributary-bundles-'));
  for (const [name, module] of Object.entries(functionModules)) {
    mkdirSync(join(bundles, name));
    writeFileSync(join(bundles, name, 'index.cjs'), '');
    writeFileSync(join(bundles, name, 'function.json'), JSON.stringify({ module }));
  }
  const hub = HubConfig.parse(given);
  const app = new App({ outdir: out, builtinCloudFormationValidation: false });
  new HubStack(app, `tributary-${hub.name}`, { hub, seed: { ...readSeed(), hub: given }, bundles });
  app.synth();
  rmSync(bundles, { recursive: true });
};
