import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { HubConfig } from '../core/config/hub-config.ts';
import { bundle, root } from './stack/bundle.ts';
import { HubStack } from './stack/index.ts';
import { readSeed } from './stack/seed.ts';

// The CDK CLI and `assembly` set CDK_OUTDIR; without it the assembly is written to cdk.out.
const outdir = process.env['CDK_OUTDIR'] ?? join(root, 'cdk.out');
// `npm start` and the tests synthesise after every change and skip the checks, which take seconds; a deploy runs them.
const isChecked = process.env['HUB_UNCHECKED'] === undefined;
const app = new App({ outdir, builtinCloudFormationValidation: isChecked });
const seed = readSeed();
const hub = HubConfig.parse(seed.hub);
const bundles = mkdtempSync(join(tmpdir(), 'tributary-bundles-'));
await bundle(bundles);
const stack = new HubStack(app, `tributary-${hub.name}`, { hub, seed, bundles });
if (isChecked) (await import('./stack/nag-rules.ts')).addChecks(app, stack);
app.synth();
rmSync(bundles, { recursive: true });
