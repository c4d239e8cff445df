import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { CrmConnector, CrmSession } from '../../core/crm/connector.ts';
import { type CompiledMapping, compileMapping } from '../../core/crm/mapping.ts';
import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { publisher } from '../aws/clients/bus.ts';
import { table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { readSecret } from '../aws/clients/secret.ts';
import { guests } from '../aws/customers/guests.ts';
import { history } from '../aws/customers/history.ts';
import { erasureParts } from '../aws/erasure/parts.ts';
import { attempts } from '../aws/operations/attempts.ts';
import { config } from '../aws/operations/configuration.ts';
import { failureSaver, REPLAY_OF } from '../aws/operations/save-failure.ts';
import { syncFailed } from '../contracts/events/build.ts';
import { profileIdOf, syncStateKey } from '../contracts/keys.ts';
import { log } from '../contracts/log.ts';
import type { CrmMessage, EraseMessage } from '../contracts/messages/sync.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { syncStage } from '../contracts/stages/sync.ts';
import { type QueueEvent, type QueueResult, queueStack } from '../middleware/queue.ts';
import type { SyncState } from './contacts.ts';
import { eraseInCrm } from './erase.ts';
import { lease } from './lease.ts';
import { type Queued, type SyncPorts, sync, type Unsynced } from './sync.ts';
import { throttle, throttled } from './throttle.ts';

const Environment = z.object({ HUB: z.string(), QUEUE_URL_SYNC: z.string() });
const Names = z.array(z.string());
const StateRow = z.object({ contact: z.string(), hash: z.string(), written: Names, held: Names.default([]) });

interface Erasing {
  readonly id: string;
  readonly message: EraseMessage;
}

const DELAY_SECONDS = 60;

/** The function of one CRM. While the CRM cannot be used its messages are sent again with a delay, so that receive counts mean crashes only. */
export const syncWith = (connector: CrmConnector) => (runtime: Runtime) => {
  const env = Environment.parse(runtime.env);
  const rows = table(runtime);
  const running = config(runtime, rows);
  const secret = readSecret(runtime);
  const publish = publisher(runtime);
  const send = sendTo(runtime, env.QUEUE_URL_SYNC);
  const way = throttle(connector, rows, runtime);
  let session: CrmSession | undefined;
  let compiled: { readonly raw: unknown; readonly mapping: CompiledMapping } | undefined;
  const stateKey = (profileId: string) => syncStateKey(profileId, connector.id);
  const stage = syncStage(connector.id, connector.title);
  const saveFailure = failureSaver(runtime, rows, stage);
  const ports: Omit<SyncPorts, 'saveFailure'> = {
    crm: connector.id,
    async open() {
      if (session) return session;
      const credentials = await secret(`${env.HUB}/crm/${connector.id}`);
      const token = lease(connector.id, credentials, rows, runtime.now);
      session = throttled(await way.noting(() => connector.open(credentials, token)), connector, way);
      return session;
    },
    async mapping() {
      const raw = await running.crmMapping(connector.id);
      if (compiled === undefined || compiled.raw !== raw)
        compiled = { raw, mapping: compileMapping(connector.id, raw) };
      return compiled.mapping;
    },
    identity: running.identity,
    history: history(rows),
    guests: guests(rows, running.identity),
    async states(customers) {
      const found = await rows.get(customers.map(stateKey));
      return new Map(found.map((row): [string, SyncState] => [profileIdOf(row), StateRow.parse(row)]));
    },
    async remember(customer, state) {
      await rows.put({ ...stateKey(customer), ...state });
    },
    async publishFailed(customer, error) {
      await publish(syncFailed(customer, connector.id, error.code, instant(runtime.now())));
    },
  };
  const erase = eraseInCrm({ ...ports, connector, erasures: erasureParts(rows) });
  const again = async ({ body, messageAttributes }: SQSRecord, error: HubError): Promise<void> => {
    const seconds = typeof error.retry === 'object' ? error.retry.afterSeconds : DELAY_SECONDS;
    const replayOf = messageAttributes[REPLAY_OF]?.stringValue;
    await send(body, {
      delaySeconds: seconds,
      ...(replayOf !== undefined && { attributes: { [REPLAY_OF]: replayOf } }),
    });
  };
  const synced = async (
    readable: readonly Queued[],
    erased: readonly Erasing[],
    saveFailureOf: SyncPorts['saveFailure'],
  ): Promise<Unsynced> => {
    try {
      await way.expectOpen();
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return new Map([...readable, ...erased].map(({ id }) => [id, error]));
    }
    const unsynced =
      readable.length === 0 ? [] : await sync({ ...ports, saveFailure: saveFailureOf })(readable);
    return new Map([...unsynced, ...(await erase(erased))]);
  };
  return middy<QueueEvent<CrmMessage>, QueueResult>()
    .use(queueStack(stage, attempts(runtime, rows)))
    .handler(async ({ messages }) => {
      const records = new Map(messages.map(({ id, record }) => [id, record]));
      const queued: Queued[] = [];
      const erasing: Erasing[] = [];
      for (const { id, message } of messages)
        if ('erasure' in message) erasing.push({ id, message });
        else queued.push({ id, message });
      const unsynced = await synced(queued, erasing, async (id, error) => {
        const record = records.get(id);
        if (record) await saveFailure(record, error);
      });
      const [first] = unsynced.values();
      if (first) log('warn', first.code, { crm: connector.id, waiting: unsynced.size }, first);
      if (unsynced.size > 0) session = undefined;
      for (const { id, record } of messages) {
        const error = unsynced.get(id);
        if (error) await again(record, error);
      }
      return new Map();
    });
};
