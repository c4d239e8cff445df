import {
  accountAccepted,
  accountFound,
  announced,
  type Connection,
  connectionFailed,
  connectionWorked,
  isToBeAnnounced,
  objectFailed,
  probed,
  type Stop,
  type Stopping,
  stopOf,
  workingConnection,
} from '../../../core/crm/connection.ts';
import type { CrmConnector } from '../../../core/crm/connector.ts';
import { type Instant, instant } from '../../../core/interaction/interaction.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import type { EventSource } from '../../aws/clients/event-source.ts';
import { updateOptimistically } from '../../aws/clients/optimistic.ts';
import { connectionKey } from '../../contracts/keys.ts';
import { connectionOf } from '../../contracts/rows/connections.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Announcements } from './announcements.ts';

/** The state of the connection to one CRM, which all workers share, and what follows from its changes. */
export interface CrmConnection {
  read(): Promise<Connection>;
  /** Records which account the CRM is, where none is known. Resolves to the one in use. */
  accountFound(account: string): Promise<string | undefined>;
  /** Records that a person wants the hub to go on in this account. */
  accountAccepted(account: string): Promise<void>;
  /** Records a fault of the whole CRM. A CRM that stops gets no more messages, and a probe is planned. */
  failed(fault: Stopping): Promise<void>;
  /** Records that the CRM answers; `seen`: the connection as it was read before, so that a good day costs no write. */
  worked(seen: Connection): Promise<void>;
  /** Parks an object of the CRM, and plans a probe of it. */
  objectFailed(object: string, fault: Stopping): Promise<void>;
  /** Records the outcome of a probe. Without a fault the stop ends: its failure is closed, and messages flow again. */
  probed(object: string | undefined, fault: Stopping | undefined, by: Probe): Promise<void>;
  /** For a worker that received messages although the CRM is paused: the pause is put into force again. */
  hold(paused: Connection): Promise<void>;
  /** Sends a probe after some seconds, at most 900. */
  probeIn(seconds: number, object: string | undefined): Promise<void>;
}

/** What makes a probe. */
export interface Probe {
  /** The id of its queue message. */
  readonly message: string;
  /** Whether a person asked for it: it does not move the time of the next planned one. */
  readonly isAsked: boolean;
}

export interface ConnectionPorts {
  readonly crm: Pick<CrmConnector, 'id' | 'title'>;
  readonly table: Table;
  readonly runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>;
  /** Between the queue of the CRM and its function. */
  readonly source: EventSource;
  readonly probeIn: CrmConnection['probeIn'];
  readonly announce: Announcements;
  /** How long the queue stores a message. */
  readonly retentionMs: number;
  /** Writes everything to the CRM that changed since an instant: its messages may have expired. */
  readonly backfillSince: (since: Instant) => Promise<void>;
}

/** Lambda is busy with an earlier change of the event source for about a minute. */
const TRY_AGAIN_SECONDS = 60;
/** Messages that wait already when a pause begins expire earlier than those of the pause itself. */
const RETENTION_MARGIN_MS = 86_400_000;

export const crmConnection = (ports: ConnectionPorts): CrmConnection => {
  const { crm, table, runtime, source, probeIn, announce } = ports;
  const { now } = runtime;
  const key = connectionKey(crm.id);
  const read = async (): Promise<Connection> => {
    const [row] = await table.get([key]);
    return row === undefined ? workingConnection : connectionOf(row);
  };
  /**
   * Resolves to the connection as this worker has written it; undefined where nothing changed. `before` runs before each
   * write, so that a probe is on its way before its time is stored.
   */
  const change = async (
    next: (present: Connection) => Connection,
    before: (changed: Connection, present: Connection) => Promise<void> = async () => {},
  ): Promise<Connection | undefined> => {
    let written: Connection | undefined;
    await updateOptimistically(runtime, `The state of the connection to ${crm.title}`, async () => {
      written = undefined;
      const present = await read();
      const changed = next(present);
      if (changed === present) return true;
      await before(changed, present);
      written = { ...changed, version: present.version + 1 };
      return table.put(
        { ...key, ...written },
        present.version === 0 ? { absent: true } : { version: present.version },
      );
    });
    return written;
  };
  const planProbe =
    (object: string | undefined) =>
    async (changed: Connection, present: Connection): Promise<void> => {
      const stop = stopOf(changed, object);
      if (stop !== undefined && stop.nextProbeAt !== stopOf(present, object)?.nextProbeAt)
        await probeIn(secondsUntil(stop.nextProbeAt, now()), object);
    };
  const announceStop = async (connection: Connection, object: string | undefined): Promise<void> => {
    const stop = stopOf(connection, object);
    if (stop === undefined || !isToBeAnnounced(stop)) return;
    await announce.stopped(connection, stop, object);
    await change((present) => announced(present, object));
  };
  const end = async (connection: Connection, stop: Stop, object: string | undefined): Promise<void> => {
    const since = Date.parse(stop.since);
    if (object === undefined && now() - since > ports.retentionMs - RETENTION_MARGIN_MS)
      await ports.backfillSince(instant(since - RETENTION_MARGIN_MS));
    await announce.ended(connection, stop, object);
  };
  const flow = async (): Promise<void> => {
    if (!(await source.setEnabled(true))) await probeIn(TRY_AGAIN_SECONDS, undefined);
  };

  return {
    read,
    probeIn,
    async accountFound(account) {
      const { accounts } = (await change((present) => accountFound(present, account))) ?? (await read());
      return accounts?.present;
    },
    async accountAccepted(account) {
      await change((present) => accountAccepted(present, account));
    },
    async failed(fault) {
      const next = (present: Connection): Connection => connectionFailed(present, fault, now());
      const connection = await change(next, planProbe(undefined));
      if (connection?.stop === undefined) return;
      await source.setEnabled(false);
      await announceStop(connection, undefined);
    },
    async worked(seen) {
      if (connectionWorked(seen) !== seen) await change(connectionWorked);
    },
    async objectFailed(object, fault) {
      const next = (present: Connection): Connection => objectFailed(present, object, fault, now());
      const connection = await change(next, planProbe(object));
      if (connection !== undefined) await announceStop(connection, object);
    },
    async probed(object, fault, { message, isAsked }) {
      const moved = (present: Connection): Connection => {
        const next = probed(present, object, fault, now());
        const stop = stopOf(present, object);
        return isAsked && fault !== undefined && stop !== undefined ? present : next;
      };
      const present = await read();
      const stop = stopOf(present, object);
      if (fault === undefined) {
        if (stop !== undefined) await end(moved(present), stop, object);
        await change(moved);
        if (object === undefined) await flow();
        return;
      }
      if (stop === undefined) return;
      const changed = await change(moved, planProbe(object));
      if (object === undefined) await source.setEnabled(false);
      if (isAsked && stop.announced) await announce.failedAgain(stop, object, message);
      if (changed !== undefined) await announceStop(changed, object);
    },
    async hold({ stop }) {
      if (stop === undefined) return;
      await source.setEnabled(false);
      if (Date.parse(stop.nextProbeAt) <= now()) await probeIn(0, undefined);
    },
  };
};

const secondsUntil = (at: Instant, now: number): number =>
  Math.max(0, Math.ceil((Date.parse(at) - now) / 1000));
