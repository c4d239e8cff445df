import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { type Handler, inProcessFunctions } from '../../local/lambda/in-process.ts';
import type { Run } from '../../local/lambda/invocations.ts';
import type { Cloud } from '../../local/runtime/cloud.ts';
import type { Assembly } from '../../stack/assembly.ts';
import { root } from '../../stack/bundle.ts';
import { withCheckedEvents } from './check-events.ts';

const FunctionFile = z.object({ module: z.string() });
const Module = z.object({
  create: z.custom<(runtime: Runtime) => Handler>((value) => typeof value === 'function'),
});

/** Runs the hub's functions in this process, from source, with the clock, the ids and the randomness of `world`. */
export const hubFunctions = (
  { assetFolder }: Pick<Assembly, 'assetFolder'>,
  cloud: () => Pick<Cloud, 'aws'>,
  world: Pick<Runtime, 'now' | 'newId' | 'random'> & Partial<Pick<Runtime, 'senders' | 'fetch'>>,
): Run =>
  inProcessFunctions({
    ...{ assetFolder, cloud: () => withCheckedEvents(cloud()), now: world.now, fetch: world.fetch },
    async load({ code }, bindings) {
      const file = join(assetFolder(code), 'function.json');
      const { module } = FunctionFile.parse(JSON.parse(readFileSync(file, 'utf8')));
      const path = join(root, 'functions', `${module}.ts`);
      const { create } = Module.parse(await import(pathToFileURL(path).href));
      return create({ ...world, ...bindings });
    },
  });
