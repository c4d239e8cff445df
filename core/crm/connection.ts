import * as z from 'zod';
import { Accounts } from '../identity/crm/accounts.ts';
import { Instant, instant } from '../interaction/interaction.ts';
import type { CrmFault } from './fault.ts';

/** Why the hub does not use a CRM, or one of its objects, for now. */
export const Stop = z.looseObject({
  since: Instant,
  /** The code of the fault that was found last. */
  code: z.string(),
  why: z.enum(['setup', 'throttled', 'down']),
  /** A sentence for the admin: what is the case, and what to do. */
  reason: z.string(),
  /** Probes that failed. */
  probes: z.int().nonnegative(),
  nextProbeAt: Instant,
  /** Whether the failure is stored, the event published and the alarm sent. */
  announced: z.boolean(),
});
export type Stop = z.infer<typeof Stop>;

/** `limited`: the CRM is used except for some objects, which are parked. */
export const ConnectionStatus = z.enum(['working', 'limited', 'paused']);
export type ConnectionStatus = z.infer<typeof ConnectionStatus>;

/** How the connection to a CRM is. One row per CRM; a CRM without one works. */
export const Connection = z.looseObject({
  /** Counts every change of this row. */
  version: z.int().nonnegative(),
  status: ConnectionStatus,
  /** Consecutive calls that the CRM did not answer, while it is not paused. */
  failures: z.int().nonnegative().default(0),
  stop: Stop.optional(),
  /** By object. */
  parked: z.record(z.string(), Stop).default({}),
  /** Absent until the CRM has been used once, and of a CRM that does not say which account it is. */
  accounts: Accounts.optional(),
});
export type Connection = z.infer<typeof Connection>;

export const workingConnection: Connection = { version: 0, status: 'working', failures: 0, parked: {} };

/** A CRM that does not answer, or accepts no calls for a moment, is paused after so many consecutive failures. */
const MAX_FAILURES = 3;
/** If the CRM asks for a wait as long, it is paused at once. */
const SHORT_WAIT_MS = 60_000;
const FIRST_PROBE_MS = 30_000;
/** The longest delay of a message in a queue. */
const LONGEST_WAIT_MS = 900_000;
/** A pause of which the CRM says that it will take as long is announced at once. */
const LONG_PAUSE_MS = 300_000;

/** The concerns of a fault that stop a connection or an object. */
export type Stopping = Pick<CrmFault, 'code' | 'message' | 'why' | 'retry'>;

/** The connection after a fault of the scope `connection`; the same value where nothing changes. */
export const connectionFailed = (connection: Connection, fault: Stopping, now: number): Connection => {
  if (connection.stop !== undefined) return connection;
  const failures = connection.failures + 1;
  const isStopped = fault.why === 'setup' || failures >= MAX_FAILURES || askedFor(fault) >= SHORT_WAIT_MS;
  return isStopped
    ? withStatus({ ...connection, failures: 0, stop: stopBy(fault, now) })
    : { ...connection, failures };
};

/** The connection after a call that the CRM answered; the same value where nothing changes. */
export const connectionWorked = (connection: Connection): Connection =>
  connection.failures === 0 ? connection : { ...connection, failures: 0 };

/** The connection after the CRM said for the first time which account it is; the same value where one is known. */
export const accountFound = (connection: Connection, account: string): Connection =>
  connection.accounts === undefined
    ? { ...connection, accounts: { first: account, present: account } }
    : connection;

/** The connection after a person has said that the hub goes on in this account; the same value where it is in use. */
export const accountAccepted = (connection: Connection, account: string): Connection => {
  const { accounts } = connection;
  return accounts?.present === account
    ? connection
    : { ...connection, accounts: { ...accounts, first: accounts?.first ?? account, present: account } };
};

/** The connection after a fault of an object; the same value where it is parked already. */
export const objectFailed = (
  connection: Connection,
  object: string,
  fault: Stopping,
  now: number,
): Connection =>
  connection.parked[object] === undefined ? withParked(connection, object, stopBy(fault, now)) : connection;

/**
 * The connection after a probe of it, or of a parked object. `fault`: what the probe found; without one the CRM works.
 * The same value where nothing was stopped.
 */
export const probed = (
  connection: Connection,
  object: string | undefined,
  fault: Stopping | undefined,
  now: number,
): Connection => {
  const stop = stopOf(connection, object);
  if (stop === undefined) return connection;
  const next = fault && probedAgain(stop, fault, now);
  return object === undefined ? withStop(connection, next) : withParked(connection, object, next);
};

/** The connection after its stop, or that of an object, was announced. */
export const announced = (connection: Connection, object: string | undefined): Connection => {
  const stop = stopOf(connection, object);
  if (stop === undefined || stop.announced) return connection;
  const next = { ...stop, announced: true };
  return object === undefined ? withStop(connection, next) : withParked(connection, object, next);
};

/** The stop of the connection itself, or of one object. */
export const stopOf = ({ stop, parked }: Connection, object: string | undefined): Stop | undefined =>
  object === undefined ? stop : parked[object];

/**
 * Whether a person should know now. What a person must change is announced at once. What may pass by itself is announced
 * when a probe has confirmed it, or when the CRM says that it will take some minutes.
 */
export const isToBeAnnounced = ({ announced: isDone, why, probes, since, nextProbeAt }: Stop): boolean =>
  !isDone && (why === 'setup' || probes > 0 || Date.parse(nextProbeAt) - Date.parse(since) >= LONG_PAUSE_MS);

const stopBy = (fault: Stopping, now: number): Stop => ({
  since: instant(now),
  ...foundBy(fault),
  probes: 0,
  nextProbeAt: instant(now + waitFor(fault, 0)),
  announced: false,
});

const probedAgain = (stop: Stop, fault: Stopping, now: number): Stop => ({
  ...stop,
  ...foundBy(fault),
  probes: stop.probes + 1,
  nextProbeAt: instant(now + waitFor(fault, stop.probes + 1)),
});

const foundBy = ({ code, message, why }: Stopping): Pick<Stop, 'code' | 'why' | 'reason'> => ({
  code,
  why: why === 'setup' || why === 'throttled' ? why : 'down',
  reason: message,
});

const askedFor = ({ retry }: Stopping): number => (typeof retry === 'object' ? retry.afterSeconds * 1000 : 0);

/** The wait before the next probe doubles with each probe that failed; the CRM may ask for a longer one. */
const waitFor = (fault: Stopping, probes: number): number => {
  const asked = askedFor(fault);
  const backOff = probes === 0 && asked > 0 ? 1000 : FIRST_PROBE_MS * 2 ** Math.min(probes, 10);
  return Math.min(LONGEST_WAIT_MS, Math.max(backOff, asked));
};

const withStop = ({ stop: _, ...connection }: Connection, stop: Stop | undefined): Connection =>
  withStatus({ ...connection, ...(stop && { stop }) });

const withParked = (connection: Connection, object: string, stop: Stop | undefined): Connection => {
  const { [object]: _, ...others } = connection.parked;
  return withStatus({ ...connection, parked: { ...others, ...(stop && { [object]: stop }) } });
};

const withStatus = (connection: Connection): Connection => ({
  ...connection,
  status:
    connection.stop !== undefined
      ? 'paused'
      : Object.keys(connection.parked).length > 0
        ? 'limited'
        : 'working',
});
