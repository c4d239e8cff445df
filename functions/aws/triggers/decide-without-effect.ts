import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { type AddressStates, addressState } from '../../../core/triggers/addresses.ts';
import { type Decision, decide, type Situation } from '../../../core/triggers/decision.ts';
import { historyFacts } from '../../../core/triggers/history-facts.ts';
import { sendingTrigger } from '../../../core/triggers/series/sending-trigger.ts';
import { templateChannels } from '../../../core/triggers/template-files.ts';
import type { ReadAddresses } from '../../contracts/ports/addresses.ts';
import type { Guests } from '../../contracts/ports/guests.ts';
import type { History, StoredInteraction } from '../../contracts/ports/history.ts';
import type { Notifications, SendReservations } from './notifications.ts';
import { answerOnHistory } from './on-history.ts';
import type { TriggerVersion } from './triggers.ts';

/** Everything that a decision reads, as of the instant `now`; nothing of it is written. */
export interface DecisionPorts {
  readonly history: Pick<History, 'timeline'>;
  readonly guests: Pick<Guests, 'ownerFor'>;
  readonly addresses: ReadAddresses;
  readonly reservations: Notifications['reservations'];
  readonly hub: () => Promise<HubConfig>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** An event of a trigger, or the end of its wait. */
export interface Question {
  readonly version: TriggerVersion;
  /** To whom the interaction belongs. */
  readonly customer: Customer;
  readonly cause: StoredInteraction;
  /** Epoch milliseconds at which its event arrived. */
  readonly arrivedAt: number;
  /** True when a wait or a deferral has ended. */
  readonly waited: boolean;
  /** Of a series, the step whose message it is about; by default the first that has one. */
  readonly step?: string | undefined;
}

export interface Decided {
  readonly decision: Decision;
  /** About whom it was decided: with `anyone`, the owner of the address that the interaction claims. */
  readonly customer: Customer;
  readonly reservations: SendReservations;
}

/** What a decision depends on besides the history. */
export const readSituation = async (
  ports: Omit<DecisionPorts, 'history'>,
  { version, customer, cause, arrivedAt, waited, step }: Question,
): Promise<{ readonly inputs: Omit<Situation, 'history'>; readonly reservations: SendReservations }> => {
  const { templates } = version;
  const trigger = sendingTrigger(version.trigger, step);
  const decider = trigger.anyone ? await ports.guests.ownerFor(customer, cause) : customer;
  const known = await ports.addresses(trigger, decider, cause);
  const hub = await ports.hub();
  const languages = { customer: decider.language, hub: hub.language };
  const reservations = await ports.reservations(decider, known.limited);
  return {
    reservations,
    inputs: {
      ...{ trigger, cause, arrivedAt, waited, hub, now: ports.now() },
      ...{ customer: decider, carried: known.carried },
      addresses: withReservations(known.addresses, reservations),
      hubReservations: reservations.hub.reservations,
      reservations: reservations.all,
      templates: Object.fromEntries(
        Object.entries(templates).map(([id, files]) => [id, templateChannels(files, languages)]),
      ),
    },
  };
};

/** Decides about one event of one trigger by what the ports say now. The decision has no effect until somebody stores it. */
export const decideWithoutEffect = async (ports: DecisionPorts, question: Question): Promise<Decided> => {
  const { inputs, reservations } = await readSituation(ports, question);
  return { decision: await decideOnHistory(ports, inputs), customer: inputs.customer, reservations };
};

/** The addresses of a decision with what was sent to them. */
export const withReservations = (addresses: AddressStates, { byAddress }: SendReservations): AddressStates =>
  new Map(
    [...new Set([...addresses.keys(), ...byAddress.keys()])].map((one) => [
      one,
      { ...addressState(addresses, one), reservations: byAddress.get(one)?.reservations ?? [] },
    ]),
  );

/** Reads the history from the newest interaction on, no further than the decision needs. */
const decideOnHistory = async (
  { history }: Pick<DecisionPorts, 'history'>,
  inputs: Omit<Situation, 'history'>,
): Promise<Decision> => {
  const facts = historyFacts(inputs.trigger, inputs.cause, inputs.now);
  return answerOnHistory(history, inputs.customer, facts, () => decide({ ...inputs, history: facts }));
};
