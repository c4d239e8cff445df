import type { Connection } from '../../../core/crm/connection.ts';
import type { Call, CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Priority } from '../../../core/crm/rate-limit.ts';
import { HubError } from '../../../core/errors.ts';
import type { Accounts } from '../../../core/identity/crm/accounts.ts';
import { log } from '../../contracts/log.ts';
import type { Explain } from '../explain.ts';
import type { CrmBudget } from './budget.ts';
import type { CrmConnection } from './connection.ts';
import type { CrmClient } from './crm-client.ts';
import { openInAccount } from './open.ts';
import type { ParkedMessages } from './parked.ts';
import { type Pending, QUEUED_AT } from './pending.ts';
import { withParkedObjects } from './session.ts';

/** What one run of the function uses of the CRM. */
export interface CrmAccess {
  /** The session; an object that is parked is refused without a call. */
  readonly open: () => Promise<CrmSession>;
  readonly call: Call;
  readonly parked: ReadonlySet<string>;
  /** Which account the session is of. */
  readonly accounts: Accounts | undefined;
}

/** Why a message must wait, and for which object of the CRM, if it is only that one. */
export interface Deferral {
  readonly error: HubError;
  readonly object?: string;
}

/** The messages that must wait, by their ids; the others are done or stored as failures. */
export type Deferred = ReadonlyMap<string, Deferral>;

export interface WorkPorts {
  readonly crm: Pick<CrmConnector, 'id' | 'title'>;
  readonly client: CrmClient;
  readonly budget: CrmBudget;
  readonly connection: CrmConnection;
  readonly parked: ParkedMessages;
  /** Does what messages say, and returns those that must wait, each with the reason. */
  readonly carryOut: (pending: readonly Pending[], access: CrmAccess) => Promise<Deferred>;
  /** Puts messages back on the queue; resolves to the ids of those that the queue did not accept. */
  readonly sendBack: (pending: readonly Pending[], delaySeconds: number) => Promise<ReadonlySet<string>>;
  readonly explain: Explain;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The delay where nobody says how long to wait. */
const DELAY_SECONDS = 60;
/** What has waited waits a quarter of that time again, and at most so long. */
const SHARE_OF_WAITING = 0.25;
const MOST_SECONDS = 300;
const NEW_SECRET_SECONDS = 1;

/**
 * Does the work of messages of a CRM. What waits for the whole CRM is sent back once, with its first time of queueing; what
 * waits for an object is parked. Returns the ids of messages that the queue must deliver again.
 */
export const work =
  (ports: WorkPorts) =>
  async (pending: readonly Pending[], signal: AbortSignal): Promise<ReadonlyMap<string, HubError>> => {
    const connection = await ports.connection.read();
    if (connection.stop !== undefined) {
      await ports.connection.hold(connection);
      const seconds = (Date.parse(connection.stop.nextProbeAt) - ports.now()) / 1000;
      return sendBack(ports, new Map([[Math.max(1, Math.ceil(seconds)), pending]]));
    }
    const run = { signal, connection, priority: 'live' } as const;
    const { deferred, answered } = await carryOut(ports, pending, run);
    const isDown = await reportFault(ports, deferred);
    if (!isDown && answered.size > 0) await ports.connection.worked(connection);
    if (deferred.size === 0) return new Map();
    report(ports, pending, deferred);
    const groups = grouped(pending, deferred, ports.now());
    for (const [object, { fault, messages }] of groups.parked)
      await park(ports, object, fault && (await ports.explain(object, fault, signal)), messages);
    return sendBack(ports, groups.later);
  };

export interface Run {
  readonly signal: AbortSignal;
  /** As it was read just before. */
  readonly connection: Pick<Connection, 'parked' | 'accounts'>;
  readonly priority: Priority;
  /** A parked object that is used all the same. */
  readonly probed?: string;
  /** What the session is used through. */
  readonly through?: (session: CrmSession) => CrmSession;
}

/** Does the work of messages; `answered`: the objects about which the CRM answered a call. */
export const carryOut = async (
  ports: Pick<WorkPorts, 'crm' | 'client' | 'connection' | 'budget' | 'carryOut'>,
  pending: readonly Pending[],
  { signal, connection: { parked, accounts }, priority, probed, through = (session) => session }: Run,
): Promise<{ readonly deferred: Deferred; readonly answered: ReadonlySet<string> }> => {
  const answered = new Set<string>();
  const onAnswer = (object: string): void => void answered.add(object);
  const open = async (): Promise<CrmSession> =>
    through(withParkedObjects(await openInAccount(ports, accounts, signal), { parked, probed, onAnswer }));
  const deferred = await ports.carryOut(pending, {
    ...{ open, accounts, call: ports.budget.callWith(signal, priority) },
    parked: new Set(Object.keys(parked).filter((object) => object !== probed)),
  });
  return { deferred, answered };
};

/** Whether the whole CRM cannot be used. A login that was refused because the secret has changed is tried again. */
const reportFault = async ({ client, connection }: WorkPorts, deferred: Deferred): Promise<boolean> => {
  const fault = [...deferred.values()]
    .map(({ error }) => error)
    .find((error): error is CrmFault => error instanceof CrmFault && error.scope === 'connection');
  if (fault === undefined) return false;
  client.close();
  if (fault.why !== 'setup' || !(await client.hasNewSecret())) await connection.failed(fault);
  return true;
};

const report = ({ crm, now }: WorkPorts, pending: readonly Pending[], deferred: Deferred): void => {
  const [first] = deferred.values();
  if (first === undefined) return;
  const since = pending
    .filter(({ id }) => deferred.has(id))
    .map(({ attributes }) => Number(attributes[QUEUED_AT]));
  const oldestSeconds = Math.round((now() - Math.min(...since)) / 1000);
  log('warn', first.error.code, { crm: crm.id, waiting: deferred.size, oldestSeconds }, first.error);
};

interface Groups {
  /** By object, with the fault that the CRM gave, if it gave one now. */
  readonly parked: Map<string, { fault?: CrmFault; readonly messages: Pending[] }>;
  /** By delay in seconds. */
  readonly later: Map<number, Pending[]>;
}

const grouped = (pending: readonly Pending[], deferred: Deferred, now: number): Groups => {
  const groups: Groups = { parked: new Map(), later: new Map() };
  for (const one of pending) {
    const deferral = deferred.get(one.id);
    if (deferral === undefined) continue;
    const fault = objectFault(deferral.error);
    const object = deferral.object ?? fault?.object;
    if (object === undefined)
      addTo(groups.later, delayOf(deferral.error, now - Number(one.attributes[QUEUED_AT])), one);
    else {
      const group = groups.parked.get(object) ?? { messages: [] };
      group.messages.push(one);
      if (fault !== undefined && fault.code !== 'parked-object') group.fault ??= fault;
      groups.parked.set(object, group);
    }
  }
  return groups;
};

const addTo = (groups: Groups['later'], delay: number, one: Pending): void => {
  const group = groups.get(delay) ?? [];
  group.push(one);
  groups.set(delay, group);
};

const objectFault = (error: HubError): CrmFault | undefined =>
  error instanceof CrmFault && error.scope === 'object' ? error : undefined;

/** In seconds. A record may stay locked, and answers may stay lost, for hours; only who is throttled knows when that ends. */
const delayOf = (error: HubError, waitedMs: number): number => {
  const asked = typeof error.retry === 'object' ? error.retry.afterSeconds : DELAY_SECONDS;
  if (!(error instanceof CrmFault)) return asked;
  if (error.scope === 'connection' && error.why === 'setup') return NEW_SECRET_SECONDS;
  const longer = Math.min(MOST_SECONDS, Math.ceil((waitedMs / 1000) * SHARE_OF_WAITING));
  return error.why === 'throttled' ? asked : Math.max(asked, longer);
};

/** Stores messages of an object until a probe of it succeeds; one that has succeeded meanwhile releases them at once. */
const park = async (
  { connection, parked }: WorkPorts,
  object: string,
  fault: CrmFault | undefined,
  messages: readonly Pending[],
): Promise<void> => {
  if (fault !== undefined) await connection.objectFailed(object, fault);
  await parked.add(object, messages);
  if ((await connection.read()).parked[object] === undefined) await connection.probeIn(0, object);
};

const sendBack = async (
  ports: WorkPorts,
  groups: ReadonlyMap<number, readonly Pending[]>,
): Promise<ReadonlyMap<string, HubError>> => {
  const refused = new Map<string, HubError>();
  for (const [delay, messages] of groups)
    for (const id of await ports.sendBack(messages, delay)) refused.set(id, notAccepted());
  return refused;
};

const notAccepted = (): HubError =>
  new HubError('enqueue-failure', 'SQS did not accept a message that has to wait for the CRM.', {
    retry: 'later',
  });
