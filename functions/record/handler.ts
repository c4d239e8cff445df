import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { channels } from '../../connectors/channels/index.ts';
import { mappings } from '../../mappings/channels/index.ts';
import { attempts } from '../aws/attempts.ts';
import { bus } from '../aws/bus.ts';
import { config } from '../aws/config.ts';
import { outcomes } from '../aws/outcomes.ts';
import { peopleStore } from '../aws/people-store.ts';
import { sendTo } from '../aws/queue.ts';
import { refusals } from '../aws/refusals.ts';
import { seenOf } from '../aws/rows.ts';
import { table } from '../aws/table.ts';
import { tombstones } from '../aws/tombstones.ts';
import { lambda } from '../lambda.ts';
import { batch, messageOf } from '../queue.ts';
import { secrets } from '../receive/secrets.ts';
import type { Runtime } from '../runtime.ts';
import { contents } from './content.ts';
import { files } from './files.ts';
import { intake } from './intake.ts';
import { RecordMessage } from './message.ts';
import type { RecordPorts } from './ports.ts';
import { record } from './record.ts';
import { recordStage } from './stage.ts';
import type { Work } from './work.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  const marks = tombstones(runtime);
  const store = peopleStore(rows, marks);
  const bucket = files(runtime);
  const refused = refusals(runtime, rows, recordStage);
  const told = outcomes(runtime, rows, marks);
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
    mapping: (provider) => mappings[provider],
    files: bucket,
    contents: contents(runtime, {
      connector: (provider) => channels[provider],
      secrets: (provider, account) => stored(provider, account, false),
      files: bucket,
    }),
    async erased(id) {
      const { seenKey } = await marks();
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
