import { durationMs } from '../config/duration.ts';
import type { RecordedAnswer } from '../consent/evidence.ts';
import type { Channel, Instant } from '../interaction/interaction.ts';
import { applyRefusalToGuest, applyRetainedRefusal, type RetainedRefusal } from '../privacy/erasure.ts';
import { type Customer, mergeTree, resolveCustomer } from './customer.ts';
import type { Identifier } from './identifier.ts';
import type { IdentityConfig } from './identity-config.ts';
import type { ClaimedPairs, Confirmation, Merge, Reopening, Review, Split, Unmerge } from './ledger.ts';
import type { Profile, SourceProfile } from './profile.ts';

export interface PeopleState {
  readonly sourceProfiles: Iterable<SourceProfile>;
  readonly owners: Iterable<readonly [Identifier, string]>;
  /** Refusals that an erasure retained, by identifier. */
  readonly retainedRefusals?: ReadonlyMap<Identifier, RetainedRefusal>;
  /** The guests' source profile ids by unowned identifier. */
  readonly guests?: Iterable<readonly [Identifier, string]>;
  /** By source profile id; an absent profile has no pairs. */
  readonly claimedPairs?: ReadonlyMap<string, ClaimedPairs>;
}

/** An opt-in or opt-out by a claimed address. */
export interface AddressClaim {
  readonly address: Identifier;
  readonly claim: 'mute' | 'opt-in';
  readonly channel: Channel;
  readonly at: Instant;
  /** The id of the interaction. */
  readonly source: string;
}

/**
 * A unit of work: the customers that a few interactions or commands concern, in memory, and the changes to write in one
 * conditional transaction. `state` must contain the owner of every identifier that is looked up, and the whole merge tree
 * of each owner; a missing source profile or owner throws an `Error`.
 */
export class People {
  readonly changedProfiles = new Set<string>();
  readonly changedActivities = new Set<string>();
  readonly newOwners = new Map<Identifier, string>();
  /** New owners of ids of CRM records. */
  readonly newLinks = new Map<Identifier, string>();
  readonly merges = new Map<string, Merge>();
  readonly unmerges: Unmerge[] = [];
  readonly splits: Split[] = [];
  readonly reopenings: Reopening[] = [];
  readonly reviews: Review[] = [];
  /** Recorded answers, each with its source profile. */
  readonly answers: { readonly profileId: string; readonly answer: RecordedAnswer }[] = [];
  /** First claims of identifiers that have an owner or another guest already. */
  readonly claims: { readonly identifier: Identifier; readonly profileId: string; readonly at: Instant }[] =
    [];
  /** Opt-ins and opt-outs by claimed addresses; the answers of an address's owner override them. */
  readonly addressClaims: AddressClaim[] = [];
  readonly newGuests = new Map<Identifier, string>();
  readonly changedPairs = new Set<string>();
  readonly confirmations: Confirmation[] = [];
  /** Identifiers that lose their owner. */
  readonly disowned = new Set<Identifier>();
  /** The ids of reviews that a person has decided. */
  readonly resolvedReviews = new Set<string>();
  readonly config: IdentityConfig;
  readonly newId: () => string;
  /** A conversation ends after so many milliseconds without a message. */
  readonly silence: number;
  readonly #sourceProfiles: Map<string, SourceProfile>;
  readonly #owners: Map<Identifier, string>;
  readonly #retainedRefusals: ReadonlyMap<Identifier, RetainedRefusal>;
  readonly #guests: Map<Identifier, string>;
  readonly #claimedPairs: Map<string, ClaimedPairs>;

  constructor(
    state: PeopleState,
    config: IdentityConfig,
    newId: () => string,
    silence: number = durationMs('72h'),
  ) {
    this.#sourceProfiles = new Map(
      [...state.sourceProfiles].map((sourceProfile) => [sourceProfile.profile.id, sourceProfile]),
    );
    this.#owners = new Map(state.owners);
    this.#retainedRefusals = state.retainedRefusals ?? new Map();
    this.#guests = new Map(state.guests);
    this.#claimedPairs = new Map(state.claimedPairs);
    this.config = config;
    this.newId = newId;
    this.silence = silence;
  }

  /** Whether a source profile was loaded. */
  has(id: string): boolean {
    return this.#sourceProfiles.has(id);
  }

  sourceProfile(id: string): SourceProfile {
    const sourceProfile = this.#sourceProfiles.get(id);
    if (sourceProfile === undefined)
      throw new Error(`The source profile ${id} of a customer was not loaded.`);
    return sourceProfile;
  }

  customer(profileId: string): Customer {
    return resolveCustomer(this.canonicalId(profileId), this.#sourceProfiles);
  }

  /** A source profile and all that are merged into it, itself first. */
  mergeTree(root: string): SourceProfile[] {
    return mergeTree(root, this.#sourceProfiles);
  }

  /** The canonical source profile of the customer that a source profile belongs to. */
  canonicalId(profileId: string): string {
    let id = profileId;
    for (
      let next = this.sourceProfile(id).activity.survivor;
      next !== undefined;
      next = this.sourceProfile(id).activity.survivor
    )
      id = next.id;
    return id;
  }

  /** The canonical ids of the owners of identifiers and of source profiles, without duplicates. */
  rootsOf(identifiers: readonly Identifier[], profileIds: readonly string[] = []): string[] {
    const owners = identifiers.flatMap((one) => this.owner(one) ?? []);
    return [...new Set([...profileIds, ...owners].map((one) => this.canonicalId(one)))];
  }

  /** The source profile that owns an identifier; undefined if it has no owner. */
  owner(identifier: Identifier): string | undefined {
    return this.#owners.get(identifier);
  }

  /** The source profile that owns an identifier. Throws an `Error` if it has no owner. */
  ownerOf(identifier: Identifier): string {
    const profileId = this.#owners.get(identifier);
    if (profileId === undefined) throw new Error('The identifier has no owner.');
    return profileId;
  }

  /** The guest of an unowned identifier. */
  guestOf(identifier: Identifier): string | undefined {
    return this.#guests.get(identifier);
  }

  /** The loaded guests that claim an identifier. */
  guestsClaiming(identifier: Identifier): string[] {
    return [...this.#sourceProfiles.values()].flatMap(({ profile }) =>
      profile.guest === true && profile.claimed.includes(identifier) ? [profile.id] : [],
    );
  }

  setGuest(identifier: Identifier, profileId: string): void {
    this.#guests.set(identifier, profileId);
    this.newGuests.set(identifier, profileId);
    this.#applyRefusalToGuest(identifier, profileId);
  }

  /** What an erasure retained of an address holds for its guest, too. */
  #applyRefusalToGuest(identifier: Identifier, profileId: string): void {
    const refusal = this.#retainedRefusals.get(identifier);
    if (refusal === undefined) return;
    this.updateProfile(profileId, (profile) => applyRefusalToGuest(profile, identifier, refusal));
    if (refusal.muted)
      this.addressClaims.push({ address: identifier, claim: 'mute', ...refusal.muted, source: 'erasure' });
  }

  claimedPairs(profileId: string): ClaimedPairs {
    return this.#claimedPairs.get(profileId) ?? { version: 0, open: [], more: 0 };
  }

  setClaimedPairs(profileId: string, pairs: ClaimedPairs): void {
    this.#claimedPairs.set(profileId, pairs);
    this.changedPairs.add(profileId);
  }

  /** Adds a new source profile. It is written only after one of its parts is set. */
  add(sourceProfile: SourceProfile): void {
    this.#sourceProfiles.set(sourceProfile.profile.id, sourceProfile);
  }

  /** Makes a source profile the owner of an unowned identifier, and applies a refusal that an erasure retained for it. */
  attachIdentifier(identifier: Identifier, profileId: string): void {
    const { profile } = this.sourceProfile(profileId);
    this.#owners.set(identifier, profileId);
    this.newOwners.set(identifier, profileId);
    const owner = { ...profile, identifiers: [...profile.identifiers, identifier] };
    const refusal = this.#retainedRefusals.get(identifier);
    this.setProfile(refusal ? applyRetainedRefusal(owner, identifier, refusal) : owner);
  }

  /** Makes a source profile the owner of an unowned id of a CRM record, which is no identifier of the customer. */
  link(reference: Identifier, profileId: string): void {
    this.#owners.set(reference, profileId);
    this.newLinks.set(reference, profileId);
  }

  /** Changes the owner of an identifier. The caller changes both profiles. */
  reassignIdentifier(identifier: Identifier, profileId: string): void {
    this.#owners.set(identifier, profileId);
  }

  /** Removes an identifier from its owner. */
  disown(identifier: Identifier): void {
    const { profile } = this.sourceProfile(this.ownerOf(identifier));
    this.setProfile({
      ...profile,
      identifiers: profile.identifiers.filter((one) => one !== identifier),
      confirmed: profile.confirmed.filter((one) => one !== identifier),
    });
    this.#owners.delete(identifier);
    if (!this.newOwners.delete(identifier)) this.disowned.add(identifier);
  }

  /** Sets the profile if the update changes it. */
  updateProfile(profileId: string, update: (profile: Profile) => Profile): void {
    const { profile } = this.sourceProfile(profileId);
    const next = update(profile);
    if (JSON.stringify(next) !== JSON.stringify(profile)) this.setProfile(next);
  }

  setProfile(profile: Profile): void {
    this.#sourceProfiles.set(profile.id, { ...this.sourceProfile(profile.id), profile });
    this.changedProfiles.add(profile.id);
  }

  setActivity(activity: SourceProfile['activity']): void {
    this.#sourceProfiles.set(activity.id, { ...this.sourceProfile(activity.id), activity });
    this.changedActivities.add(activity.id);
  }
}
