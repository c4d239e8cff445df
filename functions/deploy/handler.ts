import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import middy from '@middy/core';
import * as z from 'zod';
import { HubSecret } from '../../core/config/hub-secret.ts';
import { differences } from '../../core/triggers/publishing/difference.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { clientConfig } from '../aws/clients/config.ts';
import { type Table, table } from '../aws/clients/dynamo.ts';
import { config } from '../aws/operations/configuration.ts';
import { dropAllRules, publishSeed, unpublishOthers } from '../aws/triggers/publish.ts';
import { triggers } from '../aws/triggers/triggers.ts';
import { configKey } from '../contracts/keys.ts';
import { log } from '../contracts/log.ts';
import type { Row } from '../contracts/rows/row.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { type CustomResourceEvent, customResourceStack } from '../middleware/custom-resource.ts';
import { lambda } from '../middleware/lambda.ts';
import { createMissingSecrets } from './create-secrets.ts';

// A custom resource. CloudFormation invokes this function when the stack is created or deleted, and when the files in
// mappings/, the list of secrets or this code have changed.

const SeedFile = z.object({
  hub: z.json(),
  identity: z.json(),
  crm: z.record(z.string(), z.json()),
  triggers: z.array(z.json()),
  templates: z.record(z.string(), z.record(z.string(), z.string())),
});
type SeedFile = z.infer<typeof SeedFile>;

/** How long before the end of its time the function answers that it has failed. */
const ANSWER_MS = 15_000;

const Environment = z.object({
  HUB: z.string(),
  BUS: z.string(),
  QUEUE_ARN_DECISIONS: z.string(),
  DEAD_ARN_DECISIONS: z.string(),
});

export const create = (runtime: Runtime) => {
  const env = Environment.parse(runtime.env);
  const rows = table(runtime);
  const ports = {
    events: new EventBridgeClient(clientConfig(runtime)),
    table: rows,
    triggers: triggers(rows),
    hub: config(runtime, rows).hub,
    bus: env.BUS,
    decisionsQueue: env.QUEUE_ARN_DECISIONS,
    deadQueue: env.DEAD_ARN_DECISIONS,
    // The synthesis of the stack has validated the seed's templates.
    templateFaults: () => [],
    now: runtime.now,
  };
  const apply = async (seed: SeedFile): Promise<void> => {
    await seedConfig(rows, 'hub', seed.hub);
    await seedConfig(rows, 'identity', seed.identity);
    for (const [crm, mapping] of Object.entries(seed.crm)) await seedConfig(rows, `crm/${crm}`, mapping);
    const ids = seed.triggers.map((definition) => Trigger.parse(definition).id);
    for (const [position, definition] of seed.triggers.entries())
      if (!(await publishSeed(ports, definition, seed.templates)))
        log('warn', 'edited-trigger', await differing(ids[position] ?? '', definition, seed.templates));
    await unpublishOthers(ports, new Set(ids));
  };
  /** The keys in which the published trigger differs from its file. */
  const differing = async (trigger: string, definition: unknown, templates: SeedFile['templates']) => {
    const current = await ports.triggers.current(trigger);
    const published = current && (await ports.triggers.stored(trigger, current.version));
    const named = Object.keys(published?.templates ?? {}).map((id) => [id, templates[id] ?? {}] as const);
    const given = { definition, templates: Object.fromEntries(named) };
    return {
      trigger,
      keys: differences(published, given)
        .map(({ key }) => key)
        .join(' '),
    };
  };
  const fileOf = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(runtime.env['LAMBDA_TASK_ROOT'] ?? '.', name), 'utf8'));
  return middy<CustomResourceEvent, unknown>({ timeoutEarlyInMillis: ANSWER_MS })
    .use(customResourceStack('deploy', { physicalId: 'configuration', send: runtime.fetch ?? fetch }))
    .handler(async ({ RequestType }) => {
      if (RequestType === 'Delete') return dropAllRules(ports);
      const secrets = z.array(HubSecret).parse(await fileOf('secrets.json'));
      await createMissingSecrets(runtime, env.HUB, secrets);
      return apply(SeedFile.parse(await fileOf('seed.json')));
    });
};

/** Replaces a seeded row by the newer seed, unless a person has edited it. */
const seedConfig = async (rows: Table, name: string, body: unknown): Promise<void> => {
  const [present] = await rows.get([configKey(name)]);
  if (present?.['editedBy'] !== undefined) return;
  const row: Row = { ...configKey(name), body };
  await rows.put(row);
};

export const handler = lambda(create);
