import middy from '@middy/core';
import { table } from '../aws/clients/dynamo.ts';
import { figures as figuresStore } from '../aws/customers/figures.ts';
import { lists } from '../aws/customers/lists/lists.ts';
import { messageStatuses } from '../aws/customers/message-status.ts';
import { loadBatch } from '../aws/customers/projections.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { config } from '../aws/operations/configuration.ts';
import { triggerFigures as triggerFiguresStore } from '../aws/triggers/trigger-figures.ts';
import { triggerMessages } from '../aws/triggers/trigger-messages.ts';
import type { ProjectionMessage } from '../contracts/messages/projections.ts';
import type { Projection } from '../contracts/ports/projections.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { projectionsStage } from '../contracts/stages/projections.ts';
import { lambda } from '../middleware/lambda.ts';
import { type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { figures } from './figures.ts';
import { project } from './projections.ts';
import { triggerFigures } from './trigger-figures.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  const retentionSeconds = async (): Promise<number> => (await running.hub()).retention.interactions / 1000;
  const timeZone = async (): Promise<string> => (await running.hub()).timeZone;
  const projections: readonly Projection[] = [
    messageStatuses(rows, runtime, retentionSeconds),
    lists(rows, runtime),
    figures({ store: figuresStore(rows, runtime), timeZone }),
    triggerFigures({ store: triggerFiguresStore(rows, runtime), timeZone, messages: triggerMessages(rows) }),
  ];
  const use = project({ load: loadBatch(rows), projections });
  return middy<QueueEvent<ProjectionMessage>, QueueResult>()
    .use(queueStack(projectionsStage, attempts(runtime, rows)))
    .handler(({ messages }) => use(messages));
};

export const handler = lambda(create);
