import { afterAnswer, type Said } from './answers.ts';
import { addressesOf, answeredChannel, answerOf, type ConsentStatus } from './consent.ts';
import { closed, type Reply, replyOf } from './conversation.ts';
import { type Customer, foldCustomer, type Half, type Profile, treeOf } from './customer.ts';
import { durationMs } from './duration.ts';
import { type Remembered, recalled } from './erasure.ts';
import { HubError } from './errors.ts';
import { type Evidence, evidenceOf, type GivenAnswer } from './evidence.ts';
import { active, closedBy, emptyHalf, introduced, learned, listed } from './half.ts';
import { type Identifier, identifierType } from './identifier.ts';
import {
  byStrength,
  type IdentityConfig,
  normaliseIdentifier,
  ruleFor,
  usableIdentifiers,
} from './identity.ts';
import type { Channel, Instant, Interaction, ProfileHints } from './interaction.ts';
import {
  type Merge,
  pairId,
  type Reopening,
  type Review,
  type Split,
  sortedPair,
  type Unmerge,
} from './ledger.ts';
import { placesOf, samePlaces } from './lists.ts';

/** Who decides something by hand, when, and in which command. */
export interface Decision {
  readonly at: Instant;
  /** What the person is called. */
  readonly by: string;
  readonly cause: string;
}

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
  /** How long the person has waited for this answer. */
  readonly reply?: Reply;
  /** The customer stands elsewhere in the lists that people read. */
  readonly moved?: true;
}

/** What a list says of one customer. */
export interface Introduction {
  readonly id: string;
  readonly at: Instant;
  /** Who put the list in. */
  readonly by: string;
  readonly identifiers: readonly string[];
  readonly profile: ProfileHints & { readonly stage?: string | undefined };
  readonly consent: Readonly<Partial<Record<Channel, ConsentStatus>>>;
  /** When answers were given; those of other channels at the moment of the introduction. */
  readonly answeredAt?: Readonly<Partial<Record<Channel, Instant>>> | undefined;
  /** Channels whose answers nobody has dated: such an answer can only make what is known stricter. */
  readonly undated?: readonly Channel[] | undefined;
  /** Where the list comes from and what it proves. */
  readonly evidence?: string | undefined;
  readonly preferences: { readonly channel?: Channel | undefined };
}

/** What an introduction did: all that its events are made of. */
export interface Introduced {
  readonly half: string;
  readonly isNew: boolean;
  readonly merge?: Merge | undefined;
  readonly consent: readonly ConsentChange[];
}

/** Whose some identifiers are, and which of them that customer gains; without `half` they are a new customer's. */
interface Found {
  readonly half?: string;
  /** The customers that they belong to, still to be merged where there are several. */
  readonly roots: readonly string[];
  readonly gained: readonly Identifier[];
  readonly setAside: readonly Identifier[];
}

export interface PeopleState {
  readonly halves: Iterable<Half>;
  readonly owners: Iterable<readonly [Identifier, string]>;
  /** What must not be forgotten of identifiers whose earlier owner was erased. */
  readonly remembered?: ReadonlyMap<Identifier, Remembered>;
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
  readonly splits: Split[] = [];
  readonly reopenings: Reopening[] = [];
  readonly reviews: Review[] = [];
  /** Answers that were given, by half. */
  readonly answers: { readonly half: string; readonly given: GivenAnswer }[] = [];
  /** The ids of review entries that a person has decided about. */
  readonly resolved = new Set<string>();
  readonly #halves: Map<string, Half>;
  readonly #owners: Map<Identifier, string>;
  readonly #remembered: ReadonlyMap<Identifier, Remembered>;
  readonly #config: IdentityConfig;
  readonly #newId: () => string;
  readonly #silence: number;

  /** `silence` in milliseconds parts conversations. */
  constructor(
    state: PeopleState,
    config: IdentityConfig,
    newId: () => string,
    silence: number = durationMs('72h'),
  ) {
    this.#halves = new Map([...state.halves].map((half) => [half.profile.id, half]));
    this.#owners = new Map(state.owners);
    this.#remembered = state.remembered ?? new Map();
    this.#config = config;
    this.#newId = newId;
    this.#silence = silence;
  }

  /** Whether a half is among those that were loaded. */
  has(id: string): boolean {
    return this.#halves.has(id);
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

  /**
   * Finds or makes the customer of an interaction that arrived at `receivedAt`. `referred` is the half that holds the
   * message it refers to.
   */
  place(interaction: Interaction, referred: string | undefined, receivedAt: Instant): Placement {
    const usable = usableIdentifiers(interaction.identifiers, this.#config);
    if (usable.length === 0) {
      if (referred !== undefined) return this.#join(referred, interaction, [], {});
      return this.#review('no-identifier', interaction, receivedAt, []);
    }
    const found = this.#find(usable, interaction.id);
    if (found === undefined) return this.#review('over-limit', interaction, receivedAt, usable);
    const { half, roots, gained, setAside } = found;
    if (half === undefined) return this.#create(interaction, gained, setAside);
    const merge = roots.length > 1 ? this.#mergeByRule(roots, interaction.id, receivedAt) : undefined;
    return this.#join(half, interaction, gained, { setAside, ...(merge && { merge }) });
  }

  /** Finds whose identifiers are, and whether its customers merge. Undefined where each of them breaks a limit. */
  #find(usable: readonly Identifier[], cause: string): Found | undefined {
    const remaining = [...usable];
    const setAside: Identifier[] = [];
    while (remaining.length > 0) {
      const ranked = byStrength(remaining, this.#config);
      const owned = ranked.filter((one) => this.#owners.has(one));
      const roots = [...new Set(owned.map((one) => this.#root(this.#ownerOf(one))))];
      const unowned = ranked.filter((one) => !this.#owners.has(one));
      const strongest = owned[0];
      const half = strongest === undefined ? undefined : this.#ownerOf(strongest);
      if (half !== undefined && this.#toldApart(roots, cause))
        return { half, roots: [this.#root(half)], gained: [], setAside: [...setAside, ...unowned] };
      if (this.#fits(roots, unowned))
        return { ...(half !== undefined && { half }), roots, gained: unowned, setAside };
      const weakest = ranked.at(-1) ?? '';
      remaining.splice(remaining.indexOf(weakest), 1);
      setAside.push(weakest);
    }
    return undefined;
  }

  /** Merges by a person's decision: may override strong identifiers, limits and an earlier unmerge, and says so. */
  mergeByHand(keep: string, other: string, decision: Decision): Merge | undefined {
    const roots = [this.#root(keep), this.#root(other)];
    const [survivor, loser] = roots;
    if (survivor === undefined || loser === undefined || survivor === loser) return undefined;
    const overrode: Merge['overrode'] = [
      ...(this.#strongDiffer(survivor, loser) ? ['strong' as const] : []),
      ...(this.#fits(roots, []) ? [] : ['limit' as const]),
      ...(this.#apart(survivor, loser) ? ['apart' as const] : []),
    ];
    return this.#merge(survivor, [loser], { ...decision, overrode });
  }

  /**
   * Undoes a merge of a person exactly: the newest, or the one that `merge` names. The others of a chain stand. The
   * halves it parts are never merged by a rule again.
   */
  unmerge(half: string, { at, by }: Omit<Decision, 'cause'>, merge?: string): Unmerge {
    const root = this.#root(half);
    const wanted = merge ?? this.#newestMerge(root);
    const parted = treeOf(root, this.#halves).filter(({ activity }) => activity.survivor?.merge === wanted);
    const pointer = parted[0]?.activity.survivor;
    if (pointer === undefined) {
      throw new HubError(
        'not-merged',
        merge === undefined
          ? `Customer ${root} is not merged with anybody (any more), so there is nothing to undo.`
          : `The merge ${merge} does not hold customer ${root} together (any more), so there is nothing to undo.`,
        { retry: 'never' },
      );
    }
    const others = parted.map(({ profile }) => profile.id);
    for (const { activity } of parted) {
      const { survivor: _, ...alone } = activity;
      this.#setActivity(alone);
    }
    const { profile } = this.half(pointer.id);
    this.#setProfile({ ...profile, merged: profile.merged.filter((child) => !others.includes(child)) });
    for (const id of [pointer.id, ...others])
      this.#keepApart(
        id,
        [pointer.id, ...others].filter((other) => other !== id),
      );
    const undone: Unmerge = {
      merge: pointer.merge,
      survivor: pointer.id,
      others,
      mergedAt: pointer.at,
      at,
      by,
    };
    this.unmerges.push(undone);
    return undone;
  }

  /** Whatever is merged is a root, so the last merge into the present root is the newest of the whole tree. */
  #newestMerge(root: string): string | undefined {
    const last = this.half(root).profile.merged.at(-1);
    return last === undefined ? undefined : this.half(last).activity.survivor?.merge;
  }

  /**
   * Makes one identifier a customer of its own: a number that was given to somebody else, an address that was never
   * theirs. What was said stays with whoever said it; what arrives from now on goes to the new customer. A closed
   * address stays closed. The two are never merged by a rule again.
   */
  split(identifier: Identifier, { at, by, cause }: Decision): Split {
    const from = this.#ownerOf(identifier);
    if (this.customer(from).identifiers.length === 1) {
      throw new HubError(
        'only-identifier',
        'This is the only identifier that the customer has, so there is nobody to part it from.',
        { retry: 'never' },
      );
    }
    const to = this.#newId();
    const { profile, activity } = this.half(from);
    const fresh = emptyHalf(to, at);
    const { [identifier]: closure, ...closed } = profile.closed;
    const { [identifier]: reopening, ...reopened } = profile.reopened ?? {};
    const { [identifier]: lastHeard, ...heard } = activity.heard;
    this.#halves.set(to, fresh);
    this.#setProfile({
      ...profile,
      closed,
      ...(reopening !== undefined && { reopened }),
      identifiers: profile.identifiers.filter((one) => one !== identifier),
    });
    this.#setActivity({ ...activity, heard });
    this.#setProfile({
      ...fresh.profile,
      identifiers: [identifier],
      ...(closure && { closed: { [identifier]: closure } }),
      ...(reopening !== undefined && { reopened: { [identifier]: reopening } }),
    });
    this.#setActivity({
      ...fresh.activity,
      ...(lastHeard !== undefined && { heard: { [identifier]: lastHeard } }),
    });
    this.#owners.set(identifier, to);
    this.#keepApart(to, [from]);
    this.#keepApart(from, [to]);
    const split: Split = { id: this.#newId(), identifier, from, to, at, by, cause };
    this.splits.push(split);
    return split;
  }

  /**
   * Opens an address again that bounced or was complained about, as its owner has asked. What they closed by STOP only
   * they open. Throws `HubError` `not-closed` and `stopped`.
   */
  reopen(
    address: Identifier,
    told: Omit<Decision, 'cause'> & { readonly evidence?: string | undefined },
  ): void {
    const customer = this.customer(this.#ownerOf(address));
    const stopped = identifierType(address) === 'phone' && customer.consent.sms?.status === 'denied';
    if (stopped || customer.closed[address]?.reason === 'opt-out')
      throw new HubError(
        'stopped',
        'The owner has sent STOP from this address. Only they open it again, by sending START from it.',
        { retry: 'never' },
      );
    if (customer.closed[address] === undefined)
      throw new HubError('not-closed', 'The address is not closed, so there is nothing to open.', {
        retry: 'never',
      });
    for (const { profile } of customer.halves) {
      const { [address]: closure, ...closed } = profile.closed;
      if (closure === undefined || closure.reason === 'opt-out') continue;
      const { reason, at: closedAt } = closure;
      const { at, by, evidence } = told;
      this.#setProfile({ ...profile, closed });
      this.reopenings.push({
        ...{ id: this.#newId(), address, half: profile.id, reason, closedAt, at, by },
        ...(evidence !== undefined && { evidence }),
      });
    }
  }

  /** A person's decision that two customers are two people: rules leave them alone and no review asks again. */
  tellApart(one: string, other: string): void {
    const [first, second] = [this.#root(one), this.#root(other)];
    if (first === second) {
      throw new HubError(
        'already-merged',
        'The two are one customer by now. Take the merge back first; that also keeps them apart.',
        { retry: 'never' },
      );
    }
    for (const [half, stranger] of [
      [first, second],
      [second, first],
    ] as const) {
      const { profile } = this.half(half);
      this.#setProfile({ ...profile, distinct: [...new Set([...profile.distinct, stranger])] });
    }
    this.#settlePairs(first, second);
  }

  /**
   * A person's decision about an interaction that waits for one: it goes to the half named, or to a customer of its own.
   * Its identifiers join where nobody holds them and a limit allows it.
   */
  assign(review: Extract<Review, { type: 'interaction' }>, half: string | undefined): Placement {
    const { interaction } = review;
    const free = usableIdentifiers(interaction.identifiers, this.#config).filter(
      (one) => !this.#owners.has(one),
    );
    const holder = half === undefined ? [] : [this.#root(half)];
    const taken: Identifier[] = [];
    for (const one of free) if (this.#fits(holder, [...taken, one])) taken.push(one);
    if (half !== undefined) return this.#join(half, interaction, taken, {});
    if (taken.length > 0) return this.#create(interaction, taken, []);
    throw new HubError(
      'no-identifier',
      'The interaction names nobody who could be known again by it, so it cannot make a customer. Assign it to one, or dismiss it.',
      { retry: 'never' },
    );
  }

  #keepApart(half: string, strangers: readonly string[]): void {
    const { profile } = this.half(half);
    this.#setProfile({ ...profile, apart: [...new Set([...profile.apart, ...strangers])] });
  }

  /** A decision about two people answers every question that was asked about any two of their halves. */
  #settlePairs(one: string, other: string): void {
    const others = new Set(treeOf(other, this.#halves).map(({ profile }) => profile.id));
    for (const { profile } of treeOf(one, this.#halves)) {
      for (const asked of profile.asked.filter((id) => others.has(id))) {
        this.resolved.add(pairId(sortedPair(profile.id, asked)));
        this.#forgetQuestion(profile.id, asked);
        this.#forgetQuestion(asked, profile.id);
      }
    }
  }

  #forgetQuestion(half: string, other: string): void {
    const { profile } = this.half(half);
    this.#setProfile({ ...profile, asked: profile.asked.filter((id) => id !== other) });
  }

  /** One open entry for two people, whichever of their halves it was filed for. */
  #ask(one: string, other: string, reason: 'strong' | 'apart', cause: string): void {
    if (this.#related(one, other, 'asked')) return;
    for (const [half, stranger] of [
      [one, other],
      [other, one],
    ] as const) {
      const { profile } = this.half(half);
      this.#setProfile({ ...profile, asked: [...profile.asked, stranger] });
    }
    this.reviews.push({ type: 'pair', halves: sortedPair(one, other), reason, cause });
  }

  /** A person's answer for one channel, given outside any interaction. */
  setConsent(half: string, channel: Channel, said: Said, by: string): ConsentChange[] {
    const { evidence: text } = said;
    return this.#changing(half, () =>
      this.#hear(half, channel, said, { type: 'command', by, ...(text !== undefined && { text }) }),
    );
  }

  /** Somebody of the business says that nothing is owed to the customer any more, whatever was asked until `at`. */
  closeConversation(half: string, at: Instant): void {
    const { activity } = this.half(half);
    const conversation = closed(activity.conversation, at, this.#silence);
    this.#setActivity({ ...activity, conversation });
  }

  /** The channel that a person prefers from now on, or that they prefer none. */
  setPreference(half: string, channel: Channel | undefined, at: Instant): void {
    const { profile } = this.half(half);
    if (profile.preferences.at !== undefined && profile.preferences.at > at) return;
    this.#setProfile({ ...profile, preferences: { ...(channel && { channel }), at } });
  }

  /**
   * A customer told of by a list rather than by an act: found, merged and made by the same rules. What the list says fills
   * what is not known, and an answer counts by its time. Throws `HubError` `no-identifier`.
   */
  introduce(told: Introduction): Introduced {
    const found = this.#find(usableIdentifiers(told.identifiers, this.#config), told.id);
    if (found === undefined)
      throw new HubError(
        'no-identifier',
        'None of the identifiers can be used: they are blocked, shared, not of their type, or more than one customer may hold.',
        { retry: 'never' },
      );
    const half = found.half ?? this.#newId();
    if (found.half === undefined) this.#halves.set(half, emptyHalf(half, told.at));
    const merge = found.roots.length > 1 ? this.#mergeByRule(found.roots, told.id, told.at) : undefined;
    for (const identifier of found.gained) this.#own(identifier, half);
    const isNew = found.half === undefined;
    const consent = this.#changing(half, () => {
      const { profile } = this.half(half);
      const next = introduced(profile, told);
      if (isNew || JSON.stringify(next) !== JSON.stringify(profile)) this.#setProfile(next);
      const { by, evidence: text } = told;
      for (const [channel, said] of listed(next, told))
        this.#hear(half, channel, said, { type: 'list', by, ...(text !== undefined && { text }) });
    });
    if (isNew) this.#setActivity(this.half(half).activity);
    return { half, isNew, consent, ...(merge && { merge }) };
  }

  #own(identifier: Identifier, half: string): void {
    const { profile } = this.half(half);
    this.#owners.set(identifier, half);
    this.newOwners.set(identifier, half);
    const holding = { ...profile, identifiers: [...profile.identifiers, identifier] };
    const told = this.#remembered.get(identifier);
    this.#setProfile(told ? recalled(holding, identifier, told) : holding);
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
    identifiers: readonly Identifier[],
    told: { isNew?: boolean; setAside?: readonly Identifier[]; merge?: Merge },
  ): Placement {
    const before = this.customer(half);
    const reply = replyOf(before.conversation, interaction, this.#silence);
    const consent = this.#changing(half, () => this.#take(half, interaction, identifiers));
    return {
      half,
      isNew: told.isNew ?? false,
      setAside: told.setAside ?? [],
      consent,
      ...(told.merge && { merge: told.merge }),
      ...(reply && { reply }),
      ...((told.isNew || !samePlaces(placesOf(before), placesOf(this.customer(half)))) && { moved: true }),
    };
  }

  #review(
    reason: 'no-identifier' | 'over-limit',
    interaction: Interaction,
    receivedAt: Instant,
    setAside: readonly Identifier[],
  ): Placement {
    this.reviews.push({ type: 'interaction', reason, interaction, receivedAt });
    return { isNew: false, setAside, consent: [] };
  }

  /** What the interaction teaches the half, answers about consent, and adds to its activity. */
  #take(half: string, interaction: Interaction, identifiers: readonly Identifier[]): void {
    for (const identifier of identifiers) this.#own(identifier, half);
    this.#change(half, (profile) => learned(profile, interaction));
    const addresses = addressesOf(
      answeredChannel(interaction),
      interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
    );
    const answer = answerOf(interaction);
    const { occurredAt: at, id: source } = interaction;
    if (answer !== undefined)
      this.#hear(
        this.#carrier(half, addresses),
        answeredChannel(interaction),
        { answer, at, source },
        evidenceOf(interaction, addresses[0]),
      );
    // An address is closed for whoever holds it, also where the interaction went to somebody else.
    for (const address of addresses)
      this.#change(this.#owners.get(address) ?? half, (profile) => closedBy(profile, address, interaction));
    const { activity } = this.half(half);
    const carried = usableIdentifiers(interaction.identifiers, this.#config).filter((one) =>
      this.#owners.has(one),
    );
    this.#setActivity(active(activity, interaction, carried, this.#silence));
  }

  /** An answer, and the proof that it was given; a YES that answers nothing is none. */
  #hear(half: string, channel: Channel, said: Said, evidence: Evidence): void {
    const statusOf = (): ConsentStatus => this.half(half).profile.consent[channel]?.status ?? 'unknown';
    const from = statusOf();
    this.#change(half, (profile) => afterAnswer(profile, channel, said));
    const { answer, at, source } = said;
    const to = statusOf();
    if (answer === 'resume' && to === from) return;
    this.answers.push({ half, given: { channel, answer, at, source, from, to, evidence } });
  }

  /** The half whose address carried an interaction, among those of the customer that it went to. */
  #carrier(half: string, addresses: readonly Identifier[]): string {
    const holders = addresses.map((one) => this.#owners.get(one)).filter((one) => one !== undefined);
    return holders.find((one) => this.#root(one) === this.#root(half)) ?? half;
  }

  #mergeByRule(roots: readonly string[], cause: string, at: Instant): Merge {
    const seen = (root: string): string => foldCustomer(root, this.#halves).firstSeenAt;
    const [survivor = '', ...others] = [...roots].sort((one, other) => {
      const [first, second] = [seen(one), seen(other)];
      if (first !== second) return first < second ? -1 : 1;
      return one < other ? -1 : 1;
    });
    return this.#merge(survivor, others, {
      at,
      by: 'identifiers',
      cause,
      overrode: [],
    });
  }

  #merge(
    survivor: string,
    others: readonly string[],
    told: Pick<Merge, 'at' | 'by' | 'cause' | 'overrode'>,
  ): Merge {
    const merge: Merge = { id: this.#newId(), survivor, others: [...others], ...told };
    const all = [survivor, ...others];
    for (const [position, one] of all.entries())
      for (const other of all.slice(position + 1)) this.#settlePairs(one, other);
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

  /** True when two of these customers must not be merged; files each such pair that nobody has decided about. */
  #toldApart(roots: readonly string[], cause: string): boolean {
    let found = false;
    for (const [position, one] of roots.entries()) {
      for (const other of roots.slice(position + 1)) {
        const distinct = this.#related(one, other, 'distinct');
        const strong = this.#strongDiffer(one, other);
        if (!distinct && !strong && !this.#apart(one, other)) continue;
        found = true;
        if (!distinct) this.#ask(one, other, strong ? 'strong' : 'apart', cause);
      }
    }
    return found;
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
    return this.#related(one, other, 'apart') || this.#related(one, other, 'distinct');
  }

  #related(one: string, other: string, list: 'apart' | 'distinct' | 'asked'): boolean {
    const others = new Set(treeOf(other, this.#halves).map(({ profile }) => profile.id));
    return treeOf(one, this.#halves).some(({ profile }) => profile[list].some((id) => others.has(id)));
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

  #change(half: string, change: (profile: Profile) => Profile): void {
    const { profile } = this.half(half);
    const next = change(profile);
    if (JSON.stringify(next) !== JSON.stringify(profile)) this.#setProfile(next);
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

const countTypes = (identifiers: readonly Identifier[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const identifier of identifiers) {
    const type = identifierType(identifier);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
};
