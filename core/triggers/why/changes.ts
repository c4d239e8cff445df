import { addressTypesOf, type ConsentStatus } from '../../consent/consent.ts';
import type { Customer } from '../../identity/customer.ts';
import { Channel, instant } from '../../interaction/interaction.ts';
import type { Condition } from '../condition.ts';
import { type Decision, quietUntil, sendDeadline } from '../decision.ts';
import type { CountCondition } from '../history-facts.ts';
import type { SendReservation } from '../limits.ts';
import { nextTimeOfDay, zoneOf } from '../schedule.ts';
import type { SendingTrigger } from '../trigger.ts';
import { factsOf, type Inputs, redecide } from './redecide.ts';
import { lengthWords, outcomeWords, timeWords } from './words.ts';

/** One input that might have been different. `distance`: how far it is from what was; a unit is one answer, message or day. */
interface Candidate {
  readonly what: string;
  readonly distance: number;
  /** Of candidates of one group the nearest is enough. */
  readonly group?: string;
  readonly inputs: Inputs;
}

/** A single change with which it would have been decided otherwise. */
export interface NearestChange {
  readonly sentence: string;
  readonly outcome: Decision['decision'];
}

const DAY_MS = 86_400_000;
const MOST_SHOWN = 3;

/**
 * The single changes of an input with which a decision would have been another one, nearest first: each is found by making
 * the decision again. Empty where no single change of an input that is looked at makes a difference.
 */
export const nearestChanges = (inputs: Inputs): NearestChange[] => {
  const made = redecide(inputs);
  return candidates(inputs, made)
    .map((candidate) => ({ ...candidate, decision: redecide(candidate.inputs) }))
    .filter(({ decision }) => isOther(made, decision))
    .sort((one, other) => one.distance - other.distance)
    .filter(
      ({ group }, position, all) =>
        group === undefined || all.findIndex((one) => one.group === group) === position,
    )
    .slice(0, MOST_SHOWN)
    .map(({ what, decision }) => ({
      sentence: `${what} it would ${outcomeWords(decision)
        .replace(/^be /u, 'have been ')
        .replace(/^wait /u, 'have waited ')}.`,
      outcome: decision.decision,
    }));
};

/** Of a suppression only what leads towards a send is another decision: another reason helps nobody. */
const isOther = (made: Decision, other: Decision): boolean => {
  if (made.decision === 'suppress') return other.decision !== 'suppress';
  if (made.decision === 'send' && other.decision === 'send') return made.channel !== other.channel;
  return made.decision !== other.decision;
};

const candidates = (inputs: Inputs, made: Decision): Candidate[] => [
  ...consentChanges(inputs, made),
  ...addressChanges(inputs),
  ...templateChanges(inputs, made),
  ...countChanges(inputs),
  ...profileChanges(inputs),
  ...reservationChanges(inputs),
  ...timeChanges(inputs),
  ...otherChanges(inputs),
];

const channelsOf = ({ send }: SendingTrigger): Channel[] =>
  (send.channels ?? Channel.options).filter((one) => one !== 'preferred');

const withCustomer = (inputs: Inputs, customer: Partial<Customer>): Inputs => ({
  ...inputs,
  customer: { ...inputs.customer, ...customer },
});

const consentChanges = (inputs: Inputs, made: Decision): Candidate[] =>
  channelsOf(inputs.trigger).flatMap((channel) => {
    const { consent } = inputs.customer;
    const status: ConsentStatus = consent[channel]?.status ?? 'unknown';
    const wanted = made.decision === 'suppress' ? 'granted' : 'denied';
    if (status === wanted) return [];
    const entry = { status: wanted, at: instant(inputs.now), source: 'change' } as const;
    const what =
      wanted === 'granted'
        ? `With consent for ${channel} (granted; it was ${status})`
        : `With consent for ${channel} denied (it was ${status})`;
    return [
      { what, distance: 1, inputs: withCustomer(inputs, { consent: { ...consent, [channel]: entry } }) },
    ];
  });

/** An address of a channel that has none, one that is open again, and one that nobody has muted. */
const addressChanges = (inputs: Inputs): Candidate[] => {
  const { customer, trigger, addresses, now } = inputs;
  const missing = channelsOf(trigger)
    .filter((channel) => !customer.identifiers.some((one) => addressTypesOf(channel).includes(typeOf(one))))
    .map((channel) => {
      const [type = channel] = addressTypesOf(channel);
      const identifiers = [...customer.identifiers, `${type}:somebody`];
      return {
        ...{ what: `With an address for ${channel} (${type})`, distance: 1.5 },
        inputs: withCustomer(inputs, { identifiers, guest: false }),
      };
    });
  const closed = [
    ...Object.keys(customer.closed),
    ...[...addresses].flatMap(([address, { isClosed }]) => (isClosed ? [address] : [])),
  ].map((address) => {
    const { [address]: _, ...others } = customer.closed;
    const state = addresses.get(address);
    return {
      ...{ what: `With ${address} open (it was closed)`, distance: 1 },
      inputs: {
        ...withCustomer(inputs, { closed: others }),
        addresses: state ? new Map([...addresses, [address, { ...state, isClosed: false }]]) : addresses,
      },
    };
  });
  const muted = [...addresses].flatMap(([address, { mute: muted, ...state }]) =>
    muted === undefined
      ? []
      : [
          {
            ...{ what: `Without the opt-out that somebody claimed for ${address}`, distance: 1 },
            inputs: { ...inputs, addresses: new Map([...addresses, [address, state]]) },
          },
        ],
  );
  const written = {
    ...{ what: 'With a WhatsApp message from them in the last 24 h', distance: 1 },
    inputs: withCustomer(inputs, {
      lastInboundMessageAt: { ...customer.lastInboundMessageAt, whatsapp: instant(now - 1) },
    }),
  };
  return [...missing, ...closed, ...muted, ...(channelsOf(trigger).includes('whatsapp') ? [written] : [])];
};

const typeOf = (identifier: string): string => identifier.slice(0, identifier.indexOf(':'));

const templateChanges = (inputs: Inputs, made: Decision): Candidate[] =>
  made.decision !== 'suppress' || made.reason !== 'no-template'
    ? []
    : channelsOf(inputs.trigger).map((channel) => ({
        ...{ what: `With a text for ${channel} in the template`, distance: 1 },
        inputs: {
          ...inputs,
          templates: Object.fromEntries(
            Object.entries(inputs.templates).map(([id, template]) => [
              id,
              { ...template, channels: [...template.channels, channel] },
            ]),
          ),
        },
      }));

const countsIn = (condition: Condition): CountCondition[] => {
  if ('count' in condition) return [condition];
  if ('not' in condition) return countsIn(condition.not);
  if ('any' in condition) return condition.any.flatMap(countsIn);
  return 'all' in condition ? condition.all.flatMap(countsIn) : [];
};

/** The nearest counts on either side of the bounds of each condition. */
const countChanges = (inputs: Inputs): Candidate[] => {
  const facts = factsOf(inputs);
  return inputs.trigger.where.flatMap(countsIn).flatMap((condition) => {
    const { count: pattern, within, atLeast, atMost, exactly } = condition;
    const count = facts.counted(condition)?.count ?? 0;
    const edges = [atLeast, atMost, exactly].flatMap((one) =>
      one === undefined ? [] : [one - 1, one, one + 1],
    );
    return [...new Set(edges)]
      .filter((one) => one >= 0 && one !== count)
      .map((one) => ({
        what: `With ${countWords(Math.abs(one - count), one > count)} like ${JSON.stringify(pattern)} in ${lengthWords(within)}`,
        distance: Math.abs(one - count),
        group: `${JSON.stringify(pattern)} ${one > count}`,
        inputs: { ...inputs, counts: new Map([[condition, one]]) },
      }));
  });
};

const countWords = (count: number, isMore: boolean): string =>
  count === 1
    ? `one ${isMore ? 'more interaction' : 'interaction fewer'}`
    : `${count} ${isMore ? 'more interactions' : 'interactions fewer'}`;

type ProfilePattern = Readonly<Record<string, unknown>>;

const patternsIn = (condition: Condition): ProfilePattern[] => {
  if ('customer' in condition) return [condition.customer];
  if ('not' in condition) return patternsIn(condition.not);
  if ('any' in condition) return condition.any.flatMap(patternsIn);
  return 'all' in condition ? condition.all.flatMap(patternsIn) : [];
};

/** A tag or a stage that a pattern names by its value, given to the customer or taken away. */
const profileChanges = (inputs: Inputs): Candidate[] => {
  const { customer, trigger } = inputs;
  return trigger.where.flatMap(patternsIn).flatMap((pattern): Candidate[] => {
    const tags = literals(pattern['tags']).map((tag) => {
      const isHeld = customer.tags.includes(tag);
      return {
        ...{ what: `${isHeld ? 'Without' : 'With'} the tag ${tag}`, distance: 1 },
        inputs: withCustomer(inputs, {
          tags: isHeld ? customer.tags.filter((one) => one !== tag) : [...customer.tags, tag],
        }),
      };
    });
    const stages = literals(pattern['stage']).map((stage) => {
      const isHeld = customer.stage === stage;
      return {
        ...{ what: isHeld ? `In another stage than ${stage}` : `In the stage ${stage}`, distance: 1 },
        inputs: withCustomer(inputs, { stage: isHeld ? undefined : stage }),
      };
    });
    return [...tags, ...stages];
  });
};

const literals = (leaf: unknown): string[] =>
  Array.isArray(leaf) ? leaf.filter((one) => typeof one === 'string') : [];

/** Messages fewer or more in the windows of the limits of the trigger and the hub. */
const reservationChanges = (inputs: Inputs): Candidate[] => {
  const { trigger, hub, now, reservations, addresses } = inputs;
  const cap = trigger.category === 'transactional' ? undefined : hub.caps[trigger.category];
  const limits = [
    ...(trigger.limits.perCustomer
      ? [{ limit: trigger.limits.perCustomer, name: 'perCustomer', own: { trigger: trigger.id } }]
      : []),
    ...(cap
      ? [{ limit: cap, name: `the cap of ${trigger.category}`, own: { category: trigger.category } }]
      : []),
  ];
  return limits.flatMap(({ limit: { count: most, windowMs }, name, own }) => {
    const isOwn = (one: SendReservation): boolean =>
      one.at > now - windowMs &&
      ('trigger' in own ? one.trigger === own.trigger : one.category === own.category);
    const counted = reservations.filter(isOwn).length;
    const fewer = counted - most + 1;
    const window = `${lengthWords(windowMs)} (${name}: ${most})`;
    const without = <Kept extends SendReservation>(all: readonly Kept[]): Kept[] =>
      all.filter((one) => !isOwn(one));
    if (fewer > 0)
      return {
        ...{ what: `With ${messages(fewer, 'fewer')} in ${window}`, distance: fewer },
        inputs: {
          ...inputs,
          reservations: [...without(reservations), ...reservations.filter(isOwn).slice(fewer)],
          addresses: new Map(
            [...addresses].map(([address, state]) => [
              address,
              { ...state, reservations: without(state.reservations) },
            ]),
          ),
        },
      };
    const more = most - counted;
    const added = Array.from({ length: more }, (_, at) => ({
      ...{ trigger: trigger.id, category: trigger.category, at: now - 1 - at },
      ...own,
    }));
    return {
      ...{ what: `With ${messages(more, 'more')} in ${window}`, distance: more },
      inputs: { ...inputs, reservations: [...reservations, ...added] },
    };
  });
};

const messages = (count: number, which: string): string =>
  count === 1 ? `one message ${which}` : `${count} messages ${which}`;

/** Later, when something leaves a window or quiet hours begin or end; for an expired one, earlier. */
const timeChanges = (inputs: Inputs): Candidate[] => {
  const { trigger, hub, now, reservations, history, customer } = inputs;
  const windows = [
    trigger.limits.perCustomer?.windowMs,
    trigger.category === 'transactional' ? undefined : hub.caps[trigger.category]?.windowMs,
  ].filter((one) => one !== undefined);
  const quiet =
    trigger.category === 'transactional' ? undefined : (trigger.limits.quietHours ?? hub.quietHours);
  const zone = zoneOf(customer.timeZone, hub.timeZone);
  const times = [
    ...windows.flatMap((window) => reservations.map(({ at }) => at + window)),
    ...trigger.where
      .flatMap(countsIn)
      .flatMap(({ within }) => history.map(({ occurredAt }) => Date.parse(occurredAt) + within)),
    ...(quiet ? [nextTimeOfDay(now, quiet.start, zone)] : []),
    quietUntil(inputs),
  ];
  const later = [...new Set(times)]
    .filter((one) => one > now && one < now + 400 * DAY_MS)
    .sort((a, b) => a - b);
  const made = redecide(inputs);
  const first = later.find((at) => isOther(made, redecide({ ...inputs, now: at })));
  const deadline = sendDeadline(inputs);
  return [
    ...(first === undefined
      ? []
      : [
          {
            what: `${lengthWords(first - now)} later (at ${timeWords(instant(first))})`,
            distance: (first - now) / DAY_MS,
            inputs: { ...inputs, now: first },
          },
        ]),
    ...(now > deadline
      ? [
          {
            what: `${lengthWords(now - deadline)} earlier (by ${timeWords(instant(deadline))})`,
            distance: (now - deadline) / DAY_MS,
            inputs: { ...inputs, now: deadline },
          },
        ]
      : []),
  ];
};

/** Without what has cancelled it; outside the holdout; with SMS to numbers that are only claimed. */
const otherChanges = (inputs: Inputs): Candidate[] => {
  const { trigger, hub } = inputs;
  const cancelling = factsOf(inputs).cancelling()?.newest;
  const { holdout = 0 } = trigger.send;
  return [
    ...(cancelling
      ? [
          {
            what: `Without the ${cancelling.kind} of ${timeWords(cancelling.occurredAt)}`,
            distance: 1,
            inputs: { ...inputs, ignoresUnless: true as const },
          },
        ]
      : []),
    ...(holdout > 0
      ? [
          {
            what: `Outside the holdout of ${Math.round(holdout * 1000) / 10} %`,
            distance: 1,
            inputs: { ...inputs, trigger: { ...trigger, send: { ...trigger.send, holdout: 0 } } },
          },
        ]
      : []),
    ...(hub.claims.sms
      ? []
      : [
          {
            what: 'With `claims: { sms: true }` in hub.yaml',
            distance: 1,
            inputs: { ...inputs, hub: { ...hub, claims: { ...hub.claims, sms: true } } },
          },
        ]),
  ];
};
