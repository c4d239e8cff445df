import { HubConfig } from '../../../core/config/hub-config.ts';
import type { ConsentStatus } from '../../../core/consent/consent.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import type { SourceProfile } from '../../../core/identity/profile.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { Channel, Interaction } from '../../../core/interaction/interaction.ts';
import { type Decision, decide, type Situation } from '../../../core/triggers/decision.ts';
import { historyFacts, type PastInteraction } from '../../../core/triggers/history-facts.ts';
import { sendingTrigger } from '../../../core/triggers/series/sending-trigger.ts';
import { stubTemplate, templateChannels } from '../../../core/triggers/template-files.ts';
import { type SendingTrigger, Trigger } from '../../../core/triggers/trigger.ts';

/** Noon in Rome, far from any quiet hour. */
export const NOON = Date.parse('2026-03-02T11:00:00Z');
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const iso = (time: number): string => new Date(time).toISOString();

interface Person {
  readonly id?: string;
  readonly identifiers?: readonly string[];
  readonly consent?: Readonly<Partial<Record<Channel, ConsentStatus>>>;
  readonly closed?: SourceProfile['profile']['closed'];
  readonly preferences?: SourceProfile['profile']['preferences'];
  readonly timeZone?: string;
  readonly tags?: readonly string[];
  readonly stage?: string;
  readonly heard?: SourceProfile['activity']['lastInboundAt'];
  readonly inbound?: SourceProfile['activity']['lastInboundMessageAt'];
}

export const person = ({ id = 'ada', consent = {}, ...told }: Person = {}): Customer => {
  const sourceProfile: SourceProfile = {
    profile: {
      id,
      version: 1,
      identifiers: [...(told.identifiers ?? ['email:ada@example.com', 'phone:+14155550100'])],
      tags: [...(told.tags ?? [])],
      traits: {},
      consent: Object.fromEntries(
        Object.entries(consent).map(([channel, status]) => [
          channel,
          { status, at: '2026-01-01T00:00:00.000Z', source: 'test' },
        ]),
      ),
      closed: told.closed ?? {},
      preferences: told.preferences ?? {},
      firstSeenAt: '2026-01-01T00:00:00.000Z',
      merged: [],
      claimed: [],
      shownApart: [],
      confirmed: [],
      neverAutoMerge: [],
      confirmedDistinct: [],
      pendingReview: [],
      ...(told.timeZone !== undefined && { timeZone: told.timeZone }),
      ...(told.stage !== undefined && { stage: told.stage }),
    },
    activity: {
      id,
      version: 1,
      lastSeenAt: '2026-01-01T00:00:00.000Z',
      interactions: 1,
      lastInboundAt: told.heard ?? {},
      lastInboundMessageAt: told.inbound ?? {},
    },
  };
  return resolveCustomer(id, new Map([[id, sourceProfile]]));
};

let ids = 0;
export const past = (at: number, fields: Partial<Interaction> = {}, receivedAt = at): PastInteraction => ({
  id: `past-${ids++}`,
  kind: 'message',
  channel: 'email',
  provider: 'test',
  direction: 'inbound',
  identifiers: ['email:ada@example.com'],
  ...fields,
  occurredAt: iso(at),
  receivedAt: iso(receivedAt),
  customer: snapshotCustomer(person(), 'ada', false),
});

export const trigger = (fields: Record<string, unknown> = {}): SendingTrigger =>
  sendingTrigger(
    Trigger.parse({
      id: 'hello',
      category: 'service',
      on: { kind: ['message'] },
      send: { channels: ['email'], template: 'hello' },
      ...fields,
    }),
    undefined,
  );

interface Told extends Partial<Omit<Situation, 'trigger' | 'hub' | 'history'>> {
  readonly hub?: Record<string, unknown>;
  /** In any order. */
  readonly history?: readonly PastInteraction[];
}

type Inputs = Omit<Situation, 'history'> & { readonly history: readonly PastInteraction[] };

const newestFirst = (history: readonly PastInteraction[]): PastInteraction[] =>
  history.toSorted((one, other) => Date.parse(other.occurredAt) - Date.parse(one.occurredAt));

/** Decides after the whole history was read. */
export const decideAll = ({ history, ...inputs }: Inputs): Decision => {
  const facts = historyFacts(inputs.trigger, inputs.cause, inputs.now);
  for (const one of newestFirst(history)) facts.add(one);
  facts.end();
  const decision = decide({ ...inputs, history: facts });
  if (decision === undefined) throw new Error('it is undecided after the whole history');
  return decision;
};

/** The inputs of a decision about an event that arrives at noon, unless told otherwise. */
export const situationOf = (fields: Record<string, unknown>, { hub = {}, ...told }: Told = {}): Inputs => ({
  trigger: trigger(fields),
  hub: HubConfig.parse(hub),
  cause: past(NOON),
  arrivedAt: NOON,
  now: NOON,
  customer: person(),
  history: [],
  reservations: [],
  ...{ carried: [], addresses: new Map(), hubReservations: [] },
  templates: {
    hello: templateChannels(stubTemplate('hello')),
    other: templateChannels(stubTemplate('other')),
  },
  waited: false,
  ...told,
});

/** The decision about an event that arrives at noon, unless told otherwise. */
export const decided = (fields: Record<string, unknown>, told: Told = {}): Decision =>
  decideAll(situationOf(fields, told));

/** The same decision with as little of the history as it needs, and how many interactions that was. */
export const decidedInSteps = (
  fields: Record<string, unknown>,
  told: Told = {},
): { readonly decision: Decision; readonly read: number } => {
  const { history, ...inputs } = situationOf(fields, told);
  const facts = historyFacts(inputs.trigger, inputs.cause, inputs.now);
  const older = newestFirst(history);
  for (let read = 0; ; read++) {
    const decision = decide({ ...inputs, history: facts });
    if (decision) return { decision, read };
    const next = older[read];
    if (next) facts.add(next);
    else facts.end();
  }
};

/** A decision in one line: `send email`, `wait 2026-…`, `no-consent`. */
export const outcome = (fields: Record<string, unknown>, told: Told = {}): string => {
  const decision = decided(fields, told);
  if (decision.decision === 'suppress') return decision.reason;
  return decision.decision === 'wait' ? `wait ${iso(decision.until)}` : `send ${decision.channel}`;
};
