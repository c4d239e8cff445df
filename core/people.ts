import { addressEffect, addressesOf, answer, type ConsentStatus, consentWord, stricter } from './consent.ts';
import {
  type ConsentEntry,
  type Customer,
  foldCustomer,
  type Half,
  type Profile,
  treeOf,
} from './customer.ts';
import { HubError } from './errors.ts';
import { type Identifier, identifierType } from './identifier.ts';
import {
  byStrength,
  type IdentityConfig,
  normaliseIdentifier,
  ruleFor,
  usableIdentifiers,
} from './identity.ts';
import type { Channel, Instant, Interaction, ProfileHints } from './interaction.ts';

/** One merge, as the ledger keeps it: several customers may be merged into one at once. */
export interface Merge {
  readonly id: string;
  readonly survivor: string;
  readonly others: readonly string[];
  readonly at: Instant;
  /** `identifiers` when a rule did it; otherwise what the person who did it is called. */
  readonly by: string;
  /** The interaction or command that caused it. */
  readonly cause: string;
  /** What a manual merge overrode: `strong`, `limit`, `apart`. */
  readonly overrode: readonly string[];
}

/** A merge taken back. */
export interface Unmerge {
  readonly merge: string;
  readonly survivor: string;
  readonly others: readonly string[];
  /** When the merge had been made. */
  readonly mergedAt: Instant;
  readonly at: Instant;
}

/** Something that a person must decide. One open entry per pair of customers or per interaction. */
export type Review =
  | {
      readonly type: 'pair';
      readonly halves: readonly [string, string];
      readonly reason: 'strong' | 'apart';
      readonly cause: string;
    }
  | {
      readonly type: 'interaction';
      readonly reason: 'no-identifier' | 'over-limit';
      readonly interaction: Interaction;
    };

export interface ConsentChange {
  readonly channel: Channel;
  readonly from: ConsentStatus;
  readonly to: ConsentStatus;
}

/** Where an interaction went and what it changed; or, without `half`, that it waits on the review list. */
export interface Placement {
  readonly half?: string;
  readonly isNew: boolean;
  readonly merge?: Merge;
  /** Identifiers that stay on the interaction only. */
  readonly setAside: readonly Identifier[];
  readonly consent: readonly ConsentChange[];
}

/** What a list says of one customer. */
export interface Introduction {
  readonly id: string;
  readonly at: Instant;
  readonly identifiers: readonly string[];
  readonly profile: ProfileHints & { readonly stage?: string | undefined };
  readonly consent: Readonly<Partial<Record<Channel, ConsentStatus>>>;
  readonly preferences: { readonly channel?: Channel | undefined };
}

export interface PeopleState {
  readonly halves: Iterable<Half>;
  readonly owners: Iterable<readonly [Identifier, string]>;
}

/**
 * The people that a few interactions concern, in memory: the rules of FORMATS "How an interaction finds its customer",
 * merging, unmerging and consent. The state handed in must hold the owners of every identifier asked about and the
 * whole tree of each owner. What was changed is listed for one conditional write.
 */
export class People {
  readonly changedProfiles = new Set<string>();
  readonly changedActivities = new Set<string>();
  readonly newOwners = new Map<Identifier, string>();
  readonly merges = new Map<string, Merge>();
  readonly unmerges: Unmerge[] = [];
  readonly reviews: Review[] = [];
  /** Pairs that a person has decided about. */
  readonly resolved: (readonly [string, string])[] = [];
  readonly #halves: Map<string, Half>;
  readonly #owners: Map<Identifier, string>;
  readonly #config: IdentityConfig;
  readonly #newId: () => string;

  constructor(state: PeopleState, config: IdentityConfig, newId: () => string) {
    this.#halves = new Map([...state.halves].map((half) => [half.profile.id, half]));
    this.#owners = new Map(state.owners);
    this.#config = config;
    this.#newId = newId;
  }

  half(id: string): Half {
    const half = this.#halves.get(id);
    if (half === undefined) throw new Error(`The half ${id} of a customer was not loaded.`);
    return half;
  }

  customer(half: string): Customer {
    return foldCustomer(this.#root(half), this.#halves);
  }

  /** The half that holds an identifier, if anyone does. */
  owner(identifier: Identifier): string | undefined {
    return this.#owners.get(identifier);
  }

  /** Finds or makes the customer of an interaction. `referred` is the half that holds the message it refers to. */
  place(interaction: Interaction, referred: string | undefined): Placement {
    const usable = usableIdentifiers(interaction.identifiers, this.#config);
    if (usable.length === 0) {
      if (referred !== undefined) return this.#join(referred, interaction, [], {});
      return this.#review(interaction, 'no-identifier', []);
    }
    const remaining = [...usable];
    const setAside: Identifier[] = [];
    while (remaining.length > 0) {
      const ranked = byStrength(remaining, this.#config);
      const owned = ranked.filter((one) => this.#owners.has(one));
      const roots = [...new Set(owned.map((one) => this.#root(this.#ownerOf(one))))];
      const unowned = ranked.filter((one) => !this.#owners.has(one));
      const strongest = owned[0];
      if (strongest !== undefined && this.#toldApart(roots, interaction.id)) {
        return this.#join(this.#ownerOf(strongest), interaction, [], { setAside: [...setAside, ...unowned] });
      }
      if (this.#fits(roots, unowned)) {
        if (strongest === undefined) return this.#create(interaction, unowned, setAside);
        const merge = roots.length > 1 ? this.#mergeByRule(roots, interaction) : undefined;
        return this.#join(this.#ownerOf(strongest), interaction, unowned, {
          setAside,
          ...(merge && { merge }),
        });
      }
      const weakest = ranked.at(-1) ?? '';
      remaining.splice(remaining.indexOf(weakest), 1);
      setAside.push(weakest);
    }
    return this.#review(interaction, 'over-limit', setAside);
  }

  /** Merges by a person's decision: may override strong identifiers, limits and an earlier unmerge, and says so. */
  mergeByHand(keep: string, other: string, at: Instant, by: string, cause: string): Merge | undefined {
    const roots = [this.#root(keep), this.#root(other)];
    const [survivor, loser] = roots;
    if (survivor === undefined || loser === undefined || survivor === loser) return undefined;
    const overrode = [
      ...(this.#strongDiffer(survivor, loser) ? ['strong'] : []),
      ...(this.#fits(roots, []) ? [] : ['limit']),
      ...(this.#apart(survivor, loser) ? ['apart'] : []),
    ];
    for (const { profile: one } of treeOf(survivor, this.#halves)) {
      for (const { profile: other } of treeOf(loser, this.#halves))
        this.resolved.push(sortedPair(one.id, other.id));
    }
    return this.#merge(survivor, [loser], { at, by, cause, overrode });
  }

  /** Undoes the newest merge of a person, exactly. The halves it parts are never merged by a rule again. */
  unmerge(half: string, at: Instant): Unmerge {
    const pointers = treeOf(this.#root(half), this.#halves).flatMap(({ profile, activity }) =>
      activity.survivor ? [{ ...activity.survivor, half: profile.id }] : [],
    );
    const newest = pointers.reduce<(typeof pointers)[number] | undefined>(
      (last, one) =>
        last === undefined || one.at > last.at || (one.at === last.at && one.merge > last.merge) ? one : last,
      undefined,
    );
    if (newest === undefined) {
      throw new HubError(
        'not-merged',
        `Customer ${this.#root(half)} was never merged with another, so there is nothing to undo.`,
        { retry: 'never' },
      );
    }
    const parted = pointers.filter((one) => one.merge === newest.merge).map((one) => one.half);
    const all = [newest.id, ...parted];
    for (const id of parted) {
      const { survivor: _, ...activity } = this.half(id).activity;
      this.#setActivity({ ...activity });
    }
    for (const id of all) {
      const { profile } = this.half(id);
      this.#setProfile({
        ...profile,
        merged: profile.merged.filter((child) => !parted.includes(child)),
        apart: [...new Set([...profile.apart, ...all.filter((other) => other !== id)])],
      });
    }
    const unmerge: Unmerge = {
      merge: newest.merge,
      survivor: newest.id,
      others: parted,
      mergedAt: newest.at,
      at,
    };
    this.unmerges.push(unmerge);
    return unmerge;
  }

  /** A person's answer for one channel, given outside any interaction. */
  setConsent(
    half: string,
    channel: Channel,
    status: ConsentStatus,
    at: Instant,
    source: string,
  ): ConsentChange[] {
    return this.#changing(half, () => {
      const { profile } = this.half(half);
      const present = profile.consent[channel];
      if (present !== undefined && outdated(present, status, at)) return;
      this.#setProfile({ ...profile, consent: { ...profile.consent, [channel]: { status, at, source } } });
    });
  }

  setPreference(half: string, channel: Channel, at: Instant): void {
    const { profile } = this.half(half);
    if (profile.preferences.at !== undefined && profile.preferences.at > at) return;
    this.#setProfile({ ...profile, preferences: { channel, at } });
  }

  /**
   * A customer told of by a list rather than by an act: joins the owner of its strongest known identifier, else is new.
   * Never merges; what breaks a limit is left out. Returns the half.
   */
  introduce(told: Introduction): string {
    const ranked = byStrength(usableIdentifiers(told.identifiers, this.#config), this.#config);
    const known = ranked.map((one) => this.#owners.get(one)).find((half) => half !== undefined);
    const half = known ?? this.#newId();
    if (known === undefined) this.#halves.set(half, emptyHalf(half, told.at));
    for (const identifier of ranked) {
      if (!this.#owners.has(identifier) && this.#fits([this.#root(half)], [identifier])) {
        this.#own(identifier, half);
      }
    }
    const { stage, ...hints } = told.profile;
    const { profile, activity } = this.half(half);
    const answers = Object.entries(told.consent).map(([channel, status]) => [
      channel,
      { status, at: told.at, source: told.id },
    ]);
    this.#setProfile({
      ...hinted(profile, hints, true),
      ...(stage !== undefined && { stage }),
      consent: { ...profile.consent, ...Object.fromEntries(answers) },
      ...(told.preferences.channel && { preferences: { channel: told.preferences.channel, at: told.at } }),
    });
    this.#setActivity(activity);
    return half;
  }

  #own(identifier: Identifier, half: string): void {
    const { profile } = this.half(half);
    this.#owners.set(identifier, half);
    this.newOwners.set(identifier, half);
    this.#setProfile({ ...profile, identifiers: [...profile.identifiers, identifier] });
  }

  #create(
    interaction: Interaction,
    identifiers: readonly Identifier[],
    setAside: readonly Identifier[],
  ): Placement {
    const id = this.#newId();
    this.#halves.set(id, emptyHalf(id, interaction.occurredAt));
    this.#setProfile(this.half(id).profile);
    return this.#join(id, interaction, identifiers, { isNew: true, setAside });
  }

  #join(
    half: string,
    interaction: Interaction,
    learned: readonly Identifier[],
    told: { isNew?: boolean; setAside?: readonly Identifier[]; merge?: Merge },
  ): Placement {
    const consent = this.#changing(half, () => {
      this.#learn(half, interaction, learned);
      this.#answer(half, interaction);
      this.#see(half, interaction);
    });
    return {
      half,
      isNew: told.isNew ?? false,
      setAside: told.setAside ?? [],
      consent,
      ...(told.merge && { merge: told.merge }),
    };
  }

  #review(
    interaction: Interaction,
    reason: 'no-identifier' | 'over-limit',
    setAside: readonly Identifier[],
  ): Placement {
    this.reviews.push({ type: 'interaction', reason, interaction });
    return { isNew: false, setAside, consent: [] };
  }

  #learn(half: string, interaction: Interaction, identifiers: readonly Identifier[]): void {
    for (const identifier of identifiers) this.#own(identifier, half);
    const { profile } = this.half(half);
    const next: Profile = {
      ...hinted(profile, interaction.profile, interaction.kind === 'contact-update'),
      firstSeenAt:
        interaction.occurredAt < profile.firstSeenAt ? interaction.occurredAt : profile.firstSeenAt,
    };
    if (JSON.stringify(next) !== JSON.stringify(profile)) this.#setProfile(next);
  }

  #answer(half: string, interaction: Interaction): void {
    const { profile } = this.half(half);
    const { channel, occurredAt: at, id: source } = interaction;
    const present = profile.consent[channel];
    const word = consentWord(interaction);
    const status = word && answer(word, present?.status ?? 'unknown');
    const counts = status !== undefined && !(present !== undefined && outdated(present, status, at));
    const consent = counts ? { ...profile.consent, [channel]: { status, at, source } } : profile.consent;
    const closed = closedAfter(profile.closed, interaction, present);
    if (consent !== profile.consent || closed !== profile.closed)
      this.#setProfile({ ...profile, consent, closed });
  }

  #see(half: string, interaction: Interaction): void {
    const { activity } = this.half(half);
    const { occurredAt: at, channel } = interaction;
    const inbound = interaction.direction === 'inbound';
    const carried = inbound
      ? usableIdentifiers(interaction.identifiers, this.#config).filter((one) => this.#owners.has(one))
      : [];
    const heard = carried.filter((one) => (activity.heard[one] ?? '') < at);
    const said = inbound && interaction.kind === 'message' && (activity.inbound[channel] ?? '') < at;
    this.#setActivity({
      ...activity,
      interactions: activity.interactions + 1,
      lastSeenAt: activity.lastSeenAt > at ? activity.lastSeenAt : at,
      heard:
        heard.length === 0
          ? activity.heard
          : { ...activity.heard, ...Object.fromEntries(heard.map((one) => [one, at])) },
      inbound: said ? { ...activity.inbound, [channel]: at } : activity.inbound,
    });
  }

  #mergeByRule(roots: readonly string[], interaction: Interaction): Merge {
    const seen = (root: string): string => foldCustomer(root, this.#halves).firstSeenAt;
    const [survivor = '', ...others] = [...roots].sort((one, other) => {
      const [first, second] = [seen(one), seen(other)];
      if (first !== second) return first < second ? -1 : 1;
      return one < other ? -1 : 1;
    });
    return this.#merge(survivor, others, {
      at: interaction.occurredAt,
      by: 'identifiers',
      cause: interaction.id,
      overrode: [],
    });
  }

  #merge(
    survivor: string,
    others: readonly string[],
    told: Pick<Merge, 'at' | 'by' | 'cause' | 'overrode'>,
  ): Merge {
    const merge: Merge = { id: this.#newId(), survivor, others, ...told };
    this.merges.set(merge.id, merge);
    for (const other of others) {
      this.#setActivity({
        ...this.half(other).activity,
        survivor: { id: survivor, at: told.at, merge: merge.id },
      });
      // The loser's profile is written too, so that a concurrent change of its identifiers and this merge exclude each other.
      this.#setProfile(this.half(other).profile);
    }
    const { profile } = this.half(survivor);
    this.#setProfile({ ...profile, merged: [...profile.merged, ...others] });
    return merge;
  }

  /** Files every pair of these customers that must not be merged; true when there is one. */
  #toldApart(roots: readonly string[], cause: string): boolean {
    const before = this.reviews.length;
    for (const [position, one] of roots.entries()) {
      for (const other of roots.slice(position + 1)) {
        const reason = this.#strongDiffer(one, other)
          ? 'strong'
          : this.#apart(one, other)
            ? 'apart'
            : undefined;
        if (reason)
          this.reviews.push({
            type: 'pair',
            halves: sortedPair(one, other),
            reason,
            cause,
          });
      }
    }
    return this.reviews.length > before;
  }

  #strongDiffer(one: string, other: string): boolean {
    const strongTypes = (root: string): Set<string> =>
      new Set(
        this.customer(root)
          .identifiers.map(identifierType)
          .filter((type) => ruleFor(this.#config, type).strong === true),
      );
    return !strongTypes(one).isDisjointFrom(strongTypes(other));
  }

  #apart(one: string, other: string): boolean {
    const others = new Set(treeOf(other, this.#halves).map(({ profile }) => profile.id));
    return treeOf(one, this.#halves).some(({ profile }) => profile.apart.some((id) => others.has(id)));
  }

  /** Whether one customer may hold everything that these customers hold, and these new identifiers. */
  #fits(roots: readonly string[], unowned: readonly Identifier[]): boolean {
    const counts = roots.map((root) => countTypes(this.customer(root).identifiers));
    const added = countTypes(unowned);
    const types = new Set([...counts.flatMap((count) => [...count.keys()]), ...added.keys()]);
    return [...types].every((type) => {
      const held = counts.map((count) => count.get(type) ?? 0);
      const total = held.reduce((sum, count) => sum + count, added.get(type) ?? 0);
      return total <= Math.max(ruleFor(this.#config, type).limit, ...held);
    });
  }

  #changing(half: string, change: () => void): ConsentChange[] {
    const before = this.customer(half).consent;
    change();
    const after = this.customer(half).consent;
    return Object.entries(after).flatMap(([channel, entry]) => {
      const from = before[channel as Channel]?.status ?? 'unknown';
      return entry === undefined || entry.status === from
        ? []
        : [{ channel: channel as Channel, from, to: entry.status }];
    });
  }

  #root(half: string): string {
    let id = half;
    for (
      let next = this.half(id).activity.survivor;
      next !== undefined;
      next = this.half(id).activity.survivor
    )
      id = next.id;
    return id;
  }

  #ownerOf(identifier: Identifier): string {
    const half = this.#owners.get(identifier);
    if (half === undefined) throw new Error(`Nobody owns the identifier asked for.`);
    return half;
  }

  #setProfile(profile: Profile): void {
    this.#halves.set(profile.id, { ...this.half(profile.id), profile });
    this.changedProfiles.add(profile.id);
  }

  #setActivity(activity: Half['activity']): void {
    this.#halves.set(activity.id, { ...this.half(activity.id), activity });
    this.changedActivities.add(activity.id);
  }
}

const sortedPair = (one: string, other: string): readonly [string, string] =>
  one < other ? [one, other] : [other, one];

/** The latest answer wins; of two given at the same instant the stricter. */
const outdated = (
  present: { status: ConsentStatus; at: Instant },
  status: ConsentStatus,
  at: Instant,
): boolean => at < present.at || (at === present.at && stricter(present.status, status) === present.status);

const emptyHalf = (id: string, at: Instant): Half => ({
  profile: {
    id,
    version: 0,
    identifiers: [],
    tags: [],
    traits: {},
    consent: {},
    closed: {},
    preferences: {},
    firstSeenAt: at,
    merged: [],
    apart: [],
  },
  activity: { id, version: 0, lastSeenAt: at, interactions: 0, heard: {}, inbound: {} },
});

/** What an interaction tells fills what is not known; a contact-update also replaces what is. */
const hinted = (profile: Profile, hints: ProfileHints | undefined, replaces: boolean): Profile => {
  if (hints === undefined) return profile;
  const { tags, traits, ...single } = hints;
  const known = Object.fromEntries(Object.entries(single).filter(([, value]) => value !== undefined));
  return {
    ...(replaces ? { ...profile, ...known } : { ...known, ...profile }),
    ...(tags && { tags: [...new Set([...profile.tags, ...tags])] }),
    ...(traits && { traits: { ...profile.traits, ...traits } }),
  };
};

/** The order of arrival does not matter: what is older than the answer or the closure that stands changes nothing. */
const closedAfter = (
  closed: Profile['closed'],
  interaction: Interaction,
  consent: ConsentEntry | undefined,
): Profile['closed'] => {
  const effect = addressEffect(interaction);
  if (effect === undefined) return closed;
  const { occurredAt: at, id: source } = interaction;
  const addresses = addressesOf(
    interaction,
    interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
  );
  if (effect === 'reopen') {
    const reopened = addresses.filter((one) => closed[one]?.reason === 'opt-out' && closed[one].at <= at);
    if (reopened.length === 0) return closed;
    return Object.fromEntries(Object.entries(closed).filter(([one]) => !reopened.includes(one)));
  }
  if (effect === 'opt-out' && consent?.status === 'granted' && consent.at > at) return closed;
  const stands = (one: Identifier): boolean => {
    const entry = closed[one];
    return (
      entry !== undefined &&
      (effect === 'opt-out' ? entry.reason !== 'opt-out' || entry.at >= at : entry.reason !== 'opt-out')
    );
  };
  const fresh = addresses.filter((one) => !stands(one));
  if (fresh.length === 0) return closed;
  return { ...closed, ...Object.fromEntries(fresh.map((one) => [one, { reason: effect, at, source }])) };
};

const countTypes = (identifiers: readonly Identifier[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const identifier of identifiers) {
    const type = identifierType(identifier);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
};
