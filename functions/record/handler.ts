import middy from '@middy/core';
import { connectorOf, mappingOf } from '../../connectors/registry.ts';
import { bucket } from '../aws/clients/bucket.ts';
import { bus } from '../aws/clients/bus.ts';
import { secrets } from '../aws/clients/connector-secrets.ts';
import { table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { sendAllTo } from '../aws/clients/queue-many.ts';
import { peopleStore } from '../aws/customers/people-store.ts';
import { hashedKeysLoader } from '../aws/erasure/hashed-keys.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { commandOutcomes } from '../aws/operations/command-outcomes.ts';
import { config } from '../aws/operations/configuration.ts';
import { failureSaver } from '../aws/operations/save-failure.ts';
import type { RecordMessage } from '../contracts/messages/record.ts';
import { seenOf } from '../contracts/rows/interactions.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { recordStage } from '../contracts/stages/record.ts';
import { lambda } from '../middleware/lambda.ts';
import { type QueuedMessage, type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import { publishInBatches } from './batches.ts';
import { contents } from './content/content.ts';
import type { MessagePorts } from './messages/ports.ts';
import { readMessage } from './messages/read-message.ts';
import { record } from './record.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  const loadHashedKeys = hashedKeysLoader(runtime);
  const store = peopleStore(rows, loadHashedKeys);
  const files = bucket(runtime);
  const saveFailure = failureSaver(runtime, rows, recordStage);
  const outcomes = commandOutcomes(runtime, rows, loadHashedKeys);
  const secretsOf = secrets(runtime);
  const seen = async (id: string) => {
    const { seenKey } = await loadHashedKeys();
    const [row] = await rows.get([seenKey(id)]);
    return row && seenOf(row);
  };
  const messagePorts: MessagePorts = {
    identity: running.identity,
    mapping: mappingOf,
    files,
    contents: contents(runtime, {
      connector: connectorOf,
      secrets: (provider, account) => secretsOf(provider, account, false),
      files,
    }),
    isErased: async (id) => (await seen(id))?.erased === true,
    isRecorded: async (id) => (await seen(id)) !== undefined,
    saveFailure,
    enqueue: sendTo(runtime, runtime.env['QUEUE_URL_DELIVERIES']),
  };
  const use = record<QueuedMessage<RecordMessage>>({
    decode: (queued) => readMessage(messagePorts, queued),
    identity: running.identity,
    silence: async () => (await running.hub()).conversation.silence,
    load: async (works) => store.load(works, await running.identity()),
    commit: async (changes, loaded) => {
      const { retention } = await running.hub();
      return store.commit(changes, loaded, await running.identity(), retention.interactions / 1000);
    },
    async keepFiles({ attachments = [] }) {
      for (const { key } of attachments) if (key !== undefined) await files.keep(key);
    },
    async removeFiles({ attachments = [] }) {
      for (const { key } of attachments) if (key !== undefined) await files.remove(key);
    },
    publish: publishInBatches(
      {
        projections: sendAllTo(runtime, runtime.env['QUEUE_URL_PROJECTIONS']),
        syncs: (runtime.env['QUEUE_URLS_SYNC'] ?? '')
          .split(',')
          .filter((url) => url !== '')
          .map((url) => sendAllTo(runtime, url)),
      },
      bus(runtime),
    ),
    async refuse({ message, record: received }, { command }, error) {
      // A row of an imported file is a failure of its own, to be edited and replayed as a command.
      const isRow = message.type === 'import';
      const alone = { ...received, body: JSON.stringify(command), messageAttributes: {} };
      await saveFailure(isRow ? alone : received, error);
      if (!isRow) await outcomes.refuse(command.id, error);
    },
    newId: runtime.newId,
    pausing: runtime,
  });
  return middy<QueueEvent<RecordMessage>, QueueResult>()
    .use(queueStack(recordStage, attempts(runtime, rows)))
    .handler(({ messages }) => use(messages));
};

export const handler = lambda(create);
