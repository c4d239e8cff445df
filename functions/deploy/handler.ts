import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import middy from '@middy/core';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { clientConfig } from '../aws/clients/config.ts';
import { type Table, table } from '../aws/clients/dynamo.ts';
import { dropAllRules, publishSeed, unpublishOthers } from '../aws/operations/publish.ts';
import { triggers } from '../aws/operations/triggers.ts';
import { configKey } from '../contracts/keys.ts';
import { log } from '../contracts/log.ts';
import type { Row } from '../contracts/rows/row.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { lambda } from '../middleware/lambda.ts';

// CloudFormation calls this as a custom resource: on creation and whenever the files in mappings/ have changed, and once
// more when the stack is deleted. It waits for an answer at ResponseURL, whatever happens.

const CustomResourceEvent = z.looseObject({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
});

const SeedFile = z.object({
  hub: z.json(),
  identity: z.json(),
  crm: z.record(z.string(), z.json()),
  triggers: z.array(z.json()),
  templates: z.record(z.string(), z.record(z.string(), z.string())),
});
type SeedFile = z.infer<typeof SeedFile>;

const Environment = z.object({
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
    bus: env.BUS,
    decisionsQueue: env.QUEUE_ARN_DECISIONS,
    deadQueue: env.DEAD_ARN_DECISIONS,
    // The seed's templates were checked when the template was synthesised.
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
        log('info', 'edited-trigger', { trigger: ids[position] });
    await unpublishOthers(ports, new Set(ids));
  };
  return middy<unknown, void>().handler(async (raw) => {
    const event = CustomResourceEvent.parse(raw);
    let answer: object = { Status: 'SUCCESS' };
    try {
      if (event.RequestType === 'Delete') await dropAllRules(ports);
      else
        await apply(
          SeedFile.parse(
            JSON.parse(await readFile(join(runtime.env['LAMBDA_TASK_ROOT'] ?? '.', 'seed.json'), 'utf8')),
          ),
        );
    } catch (error) {
      log('error', 'configuration-failure', { request: event.RequestType }, error);
      answer = {
        Status: 'FAILED',
        Reason: error instanceof HubError ? error.message : 'The log of the deploy function says why.',
      };
    }
    const body = JSON.stringify({
      ...answer,
      PhysicalResourceId: event.PhysicalResourceId ?? 'configuration',
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
    });
    const response = await (runtime.fetch ?? fetch)(event.ResponseURL, {
      method: 'PUT',
      body,
      headers: { 'content-type': '' },
    });
    if (!response.ok)
      throw new HubError(
        'cloudformation-refusal',
        `CloudFormation answered ${response.status} to the outcome of the configuration.`,
        { retry: 'later' },
      );
  });
};

/** A seeded row is replaced by a newer seed as long as nobody has edited it. */
const seedConfig = async (rows: Table, name: string, body: unknown): Promise<void> => {
  const [present] = await rows.get([configKey(name)]);
  if (present?.['editedBy'] !== undefined) return;
  const row: Row = { ...configKey(name), body };
  await rows.put(row);
};

export const handler = lambda(create);
