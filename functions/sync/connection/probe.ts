import type { Stop } from '../../../core/crm/connection.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import type { ProbeMessage } from '../../contracts/messages/sync.ts';
import type { CrmConnection, Probe } from './connection.ts';
import type { ParkedMessages } from './parked.ts';
import type { Pending } from './pending.ts';
import type { Deferral } from './work.ts';

export interface ProbePorts {
  readonly title: string;
  readonly connection: CrmConnection;
  readonly parked: ParkedMessages;
  /** Logs in with the secret as it is stored now, and reads a record. `accepted`: the account in which the hub may go on. */
  readonly call: (accepted: string | undefined) => Promise<void>;
  /**
   * Does the work of one message although `object` is parked. `answered`: whether the CRM answered a call about the object.
   */
  readonly attempt: (
    object: string,
    pending: Pending,
  ) => Promise<{ readonly deferral: Deferral | undefined; readonly answered: boolean }>;
  /** Asks the CRM about an object for which nothing waits. */
  readonly look: (object: string) => Promise<void>;
  /** The fault of a parked object with all that the check of its mapping finds. */
  readonly explained: (object: string, fault: CrmFault) => Promise<CrmFault>;
  readonly hasTime: () => boolean;
  readonly now: () => number;
}

/** The outcome of a probe; `undecided`: the seconds after which to try again. */
type Outcome = { readonly fault: CrmFault | undefined } | { readonly undecided: number };

const UNDECIDED_SECONDS = 10;

/**
 * Finds out by a real call whether a CRM, or a parked object of it, can be used. A planned probe of what is to be probed
 * later is a repetition of an earlier one and is dropped; one that a person asked for is made in any case.
 */
export const probe =
  (ports: ProbePorts) =>
  async (message: ProbeMessage, by: Probe): Promise<void> => {
    const { connection, now } = ports;
    const { object } = message;
    const present = await connection.read();
    const stop = object === undefined ? present.stop : present.parked[object];
    if (object !== undefined && stop === undefined) return release(ports, object);
    if (stop !== undefined && !by.isAsked && Date.parse(stop.nextProbeAt) > now()) return undefined;
    const isPaused = object !== undefined && present.stop !== undefined;
    const outcome = isPaused
      ? { undecided: secondsUntil(present.stop, now()) + UNDECIDED_SECONDS }
      : object === undefined
        ? await outcomeOf(ports, () => ports.call(message.account))
        : await outcomeOf(ports, () => tryParked(ports, object));
    if ('undecided' in outcome) return connection.probeIn(outcome.undecided, object);
    const { fault } = outcome;
    const isDown = fault?.scope === 'connection';
    if (isDown && (object !== undefined || stop === undefined)) await connection.failed(fault);
    if (object === undefined)
      return isDown && stop === undefined
        ? undefined
        : connection.probed(undefined, isDown ? fault : undefined, by);
    if (isDown) return connection.probeIn(UNDECIDED_SECONDS, object);
    await connection.probed(object, fault && (await ports.explained(object, fault)), by);
    return fault === undefined ? release(ports, object) : undefined;
  };

/** Every error of a call is an answer to the question of the probe; none makes it end without a next one. */
const outcomeOf = async ({ title }: ProbePorts, call: () => Promise<void>): Promise<Outcome> => {
  try {
    await call();
    return { fault: undefined };
  } catch (error) {
    if (error instanceof CrmFault) return { fault: error };
    if (error instanceof HubError && typeof error.retry === 'object')
      return { undecided: error.retry.afterSeconds };
    return {
      fault: new CrmFault(
        'sync-failure',
        `The probe of ${title} failed with an error that the hub does not know. Read the function's log.`,
        { scope: 'connection', why: 'down', cause: error },
      ),
    };
  }
};

/**
 * Does the work of parked messages, one after the other, until the CRM has answered about the object. If none of them asks
 * the CRM about it any more, the object itself is asked for: nothing else says that it can be used again.
 */
const tryParked = async ({ parked, attempt, look }: ProbePorts, object: string): Promise<void> => {
  for (const pending of await parked.some(object)) {
    const { deferral, answered } = await attempt(object, pending);
    const error = deferral?.error;
    if (error === undefined) await parked.remove(object, pending.id);
    else if (!(error instanceof CrmFault) || error.scope === 'connection') throw error;
    else if (error.scope === 'object' && (deferral?.object ?? error.object) === object) throw error;
    if (answered) return;
  }
  await look(object);
};

/** Releases messages as long as there is time; another message goes on with it. */
const release = async ({ parked, connection, hasTime }: ProbePorts, object: string): Promise<void> => {
  if (!(await parked.release(object, hasTime))) await connection.probeIn(0, object);
};

const secondsUntil = (stop: Stop | undefined, now: number): number =>
  stop === undefined ? 0 : Math.max(1, Math.ceil((Date.parse(stop.nextProbeAt) - now) / 1000));
