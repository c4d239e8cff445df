import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { HubConfig } from '../core/hub-config.ts';
import { bundle, root } from './bundle.ts';
import { readSeed } from './seed.ts';
import { HubStack } from './stack.ts';

// The CLI sets CDK_OUTDIR and reads the assembly from there; run directly, the same goes to cdk.out.
const app = new App({ outdir: process.env['CDK_OUTDIR'] ?? join(root, 'cdk.out') });
const seed = readSeed();
const hub = HubConfig.parse(seed.hub);
const bundles = join(root, '.hub', 'bundles');
await bundle(bundles);
new HubStack(app, `tributary-${hub.name}`, { hub, seed, bundles });
app.synth();
