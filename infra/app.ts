import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { HubConfig } from '../core/config/hub-config.ts';
import { bundle, root } from './stack/bundle.ts';
import { HubStack } from './stack/index.ts';
import { readSeed } from './stack/seed.ts';

// The CLI sets CDK_OUTDIR and reads the assembly from there; run directly, the same goes to cdk.out.
const outdir = process.env['CDK_OUTDIR'] ?? join(root, 'cdk.out');
const app = new App({ outdir });
const seed = readSeed();
const hub = HubConfig.parse(seed.hub);
const bundles = mkdtempSync(join(tmpdir(), 'tributary-bundles-'));
await bundle(bundles);
const stack = new HubStack(app, `tributary-${hub.name}`, { hub, seed, bundles });
// `npm start` synthesises on every change of a source and leaves the checks to those who deploy.
if (process.env['HUB_UNCHECKED'] === undefined) (await import('./stack/nag-rules.ts')).check(app, stack);
app.synth();
rmSync(bundles, { recursive: true });
