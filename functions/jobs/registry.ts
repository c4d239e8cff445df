import { bucket } from '../aws/clients/bucket.ts';
import { bus } from '../aws/clients/bus.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import { waitingIn } from '../aws/clients/queue-depth.ts';
import { sendAllTo } from '../aws/clients/queue-many.ts';
import { addressReader } from '../aws/customers/addresses.ts';
import { guests } from '../aws/customers/guests.ts';
import { history as historyOf } from '../aws/customers/history.ts';
import { directory } from '../aws/customers/lists/directory.ts';
import { lists, placesOfPart } from '../aws/customers/lists/lists.ts';
import { zones } from '../aws/customers/lists/zones.ts';
import { claims } from '../aws/erasure/claims.ts';
import { config } from '../aws/operations/configuration.ts';
import { failures } from '../aws/operations/failures.ts';
import { replay } from '../aws/operations/replay.ts';
import { stageQueues } from '../aws/operations/replays.ts';
import { audiences } from '../aws/triggers/audiences.ts';
import { notifications } from '../aws/triggers/notifications.ts';
import { triggers } from '../aws/triggers/triggers.ts';
import { type SealedJob, sealed } from '../contracts/jobs/job.ts';
import { customersKind, historyKind } from '../contracts/jobs/kinds.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { backtestJob } from './backtest/backtest.ts';
import { eraseJob } from './erase/erase.ts';
import { eraseJobPorts } from './erase/ports.ts';
import { exportJob } from './export.ts';
import { importJob } from './import/import.ts';
import { customers, history } from './import/listings.ts';
import { listJob } from './list-customers.ts';
import { audienceJob } from './looks/audience.ts';
import { lookJob } from './looks/look.ts';
import { replayJob } from './replay.ts';

/** The implementation of each kind of job. */
export const registry = (runtime: Runtime, table: Table): Readonly<Record<string, SealedJob>> => {
  const failureStore = failures(runtime, table);
  const files = bucket(runtime);
  const running = config(runtime, table);
  const imports = runtime.env['QUEUE_URL_IMPORTS'];
  const importing = {
    read: files.getRange,
    put: files.put,
    send: sendAllTo(runtime, imports),
    waiting: () => waitingIn(runtime, imports),
    identity: config(runtime, table).identity,
    now: runtime.now,
  };
  return {
    'import-customers': sealed(importJob(importing, customersKind, customers)),
    'import-interactions': sealed(importJob(importing, historyKind, history)),
    export: sealed(
      exportJob({
        table,
        history: historyOf(table),
        claims: claims(table),
        bucket: files,
      }),
    ),
    look: sealed(
      lookJob({
        audiences: audiences(table),
        triggers: triggers(table),
        zones: zones(placesOfPart(table)),
        history: historyOf(table),
        hub: config(runtime, table).hub,
        publish: bus(runtime),
        now: runtime.now,
      }),
    ),
    audience: sealed(
      audienceJob({
        triggers: triggers(table),
        directory: directory(placesOfPart(table)),
        history: historyOf(table),
        put: files.put,
        now: runtime.now,
      }),
    ),
    backtest: sealed(
      backtestJob({
        triggers: triggers(table),
        directory: directory(placesOfPart(table)),
        history: historyOf(table),
        guests: guests(table, running.identity),
        addresses: addressReader(table, running.identity),
        reservations: notifications(table, running.hub, runtime.now).reservations,
        hub: running.hub,
        put: files.put,
      }),
    ),
    list: sealed(
      listJob({
        directory: directory(placesOfPart(table)),
        history: historyOf(table),
        lists: lists(table, runtime),
      }),
    ),
    erase: sealed(eraseJob(eraseJobPorts(runtime, table))),
    replay: sealed(
      replayJob({
        list: failureStore.list,
        replay: replay({ failures: failureStore, enqueue: stageQueues(runtime), now: runtime.now }),
        now: runtime.now,
      }),
    ),
  };
};
