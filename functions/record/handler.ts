import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { connectorOf, mappingOf } from '../../connectors/registry.ts';
import { bus } from '../aws/clients/bus.ts';
import { secrets } from '../aws/clients/connector-secrets.ts';
import { table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { peopleStore } from '../aws/customers/people-store.ts';
import { hashedKeysLoader } from '../aws/erasure/hashed-keys.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { commandOutcomes } from '../aws/operations/command-outcomes.ts';
import { config } from '../aws/operations/configuration.ts';
import { failureSaver } from '../aws/operations/save-failure.ts';
import { RecordMessage } from '../contracts/messages/record.ts';
import type { RecordPorts } from '../contracts/ports/record.ts';
import { seenOf } from '../contracts/rows.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { recordStage } from '../contracts/stages/record.ts';
import type { Work } from '../contracts/work.ts';
import { lambda } from '../middleware/lambda.ts';
import { batch, messageOf } from '../middleware/queue.ts';
import { contents } from './content/content.ts';
import { files } from './content/files.ts';
import { intake } from './intake.ts';
import { record } from './record.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  const loadHashedKeys = hashedKeysLoader(runtime);
  const store = peopleStore(rows, loadHashedKeys);
  const bucket = files(runtime);
  const refused = failureSaver(runtime, rows, recordStage);
  const told = commandOutcomes(runtime, rows, loadHashedKeys);
  const ports: Omit<RecordPorts, 'refuse'> = {
    identity: running.identity,
    silence: async () => (await running.hub()).conversation.silence,
    load: async (works) => store.load(works, await running.identity()),
    commit: async (changes) => {
      const { retention } = await running.hub();
      return store.commit(changes, await running.identity(), retention.interactions / 1000);
    },
    async forget({ attachments = [] }) {
      for (const { key } of attachments) if (key !== undefined) await bucket.remove(key);
    },
    publish: bus(runtime),
    newId: runtime.newId,
  };

  const stored = secrets(runtime);
  const take = intake({
    identity: running.identity,
    mapping: (provider) => mappingOf(provider),
    files: bucket,
    contents: contents(runtime, {
      connector: (provider) => connectorOf(provider),
      secrets: (provider, account) => stored(provider, account, false),
      files: bucket,
    }),
    async erased(id) {
      const { seenKey } = await loadHashedKeys();
      const [row] = await rows.get([seenKey(id)]);
      return row !== undefined && seenOf(row).erased === true;
    },
    refuse: refused,
    queue: sendTo(runtime, runtime.env['QUEUE_URL_DELIVERIES']),
  });

  return middy<SQSEvent, SQSBatchResponse>().handler(
    batch(
      async ({ Records }) => {
        const failed = new Map<string, unknown>();
        const refuse: RecordPorts['refuse'] = async (message, error, command) => {
          const queued = Records.find(({ messageId }) => messageId === message);
          if (queued === undefined) return;
          // A row of a file is a failure of its own, mended and replayed as the command that it is.
          const isRow = messageOf(RecordMessage, queued).type === 'import';
          const alone = { ...queued, body: JSON.stringify(command), messageAttributes: {} };
          await refused(isRow ? alone : queued, error);
          if (!isRow) await told.refuse(command.id, error);
        };
        const works = await Promise.all(
          Records.map(async (queued): Promise<Work[]> => {
            try {
              return await take(queued);
            } catch (error) {
              failed.set(queued.messageId, error);
              return [];
            }
          }),
        );
        return new Map([...failed, ...(await record({ ...ports, refuse })(works.flat()))]);
      },
      attempts(runtime, rows),
    ),
  );
};

export const handler = lambda(create);
