import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { HubError } from '../../core/errors.ts';
import { mappings } from '../../mappings/channels/index.ts';
import { attempts } from '../aws/attempts.ts';
import { bus } from '../aws/bus.ts';
import { config } from '../aws/config.ts';
import { erase } from '../aws/erase.ts';
import { refusals } from '../aws/failures.ts';
import { peopleStore } from '../aws/people-store.ts';
import { table } from '../aws/table.ts';
import { lambda } from '../lambda.ts';
import { log } from '../log.ts';
import { batch, messageOf } from '../queue.ts';
import type { Runtime } from '../runtime.ts';
import { decode, interactionWork } from './decode.ts';
import { files, shelve } from './files.ts';
import { RecordMessage } from './message.ts';
import { type RecordPorts, record, type Work } from './record.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const running = config(runtime, rows);
  const store = peopleStore(rows);
  const bucket = files(runtime);
  const refused = refusals(runtime, rows, 'record');
  const ports: Omit<RecordPorts, 'refuse'> = {
    identity: running.identity,
    load: async (works) => store.load(works, await running.identity()),
    commit: async (changes) => {
      const { retention } = await running.hub();
      return store.commit(changes, await running.identity(), retention.interactions / 1000);
    },
    erase: erase(rows),
    publish: bus(runtime),
    newId: runtime.newId,
  };

  const worksOf = async (queued: SQSRecord): Promise<Work[]> => {
    const { messageId } = queued;
    const message = messageOf(RecordMessage, queued);
    if (message.type === 'command') return [{ type: 'command', command: message, message: messageId }];
    if (message.type === 'interaction') return [interactionWork(message, messageId)];
    const body = await bucket.bytes(message);
    try {
      const { interactions, ignored } = await decode(mappings[message.provider], message, body);
      if (ignored.length > 0)
        log('info', 'ignored', {
          provider: message.provider,
          types: ignored.join(','),
          count: ignored.length,
        });
      const kept = await Promise.all(interactions.map((interaction) => shelve(bucket, interaction)));
      return kept.map((interaction) => ({
        type: 'interaction',
        interaction,
        receivedAt: message.receivedAt,
        message: messageId,
      }));
    } catch (error) {
      if (!(error instanceof HubError) || error.retry !== 'never') throw error;
      log('warn', error.code, { provider: message.provider, delivery: message.id }, error);
      await refused(queued, error);
      return [];
    }
  };

  return middy<SQSEvent, SQSBatchResponse>().handler(
    batch(
      async ({ Records }) => {
        const failed = new Map<string, unknown>();
        const refuse: RecordPorts['refuse'] = async (message, error) => {
          const queued = Records.find(({ messageId }) => messageId === message);
          if (queued) await refused(queued, error);
        };
        const works = await Promise.all(
          Records.map(async (queued) => {
            try {
              return await worksOf(queued);
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
