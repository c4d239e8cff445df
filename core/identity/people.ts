import { durationMs } from '../config/duration.ts';
import type { RecordedAnswer } from '../consent/evidence.ts';
import { applyRetainedRefusal, type RetainedRefusal } from '../privacy/erasure.ts';
import { type Customer, mergeTree, resolveCustomer } from './customer.ts';
import type { Identifier } from './identifier.ts';
import type { IdentityConfig } from './identity-config.ts';
import type { Merge, Reopening, Review, Split, Unmerge } from './ledger.ts';
import type { Profile, SourceProfile } from './profile.ts';

export interface PeopleState {
  readonly sourceProfiles: Iterable<SourceProfile>;
  readonly owners: Iterable<readonly [Identifier, string]>;
  /** What must not be forgotten of identifiers whose earlier owner was erased. */
  readonly retainedRefusals?: ReadonlyMap<Identifier, RetainedRefusal>;
}

/**
 * The people that a few acts concern, in memory: who holds which identifier, each half as it is by now, and what became of
 * them. The state handed in must hold the owners of every identifier asked about and the whole tree of each owner. What was
 * changed is listed for one conditional write.
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
  readonly answers: { readonly profileId: string; readonly given: RecordedAnswer }[] = [];
  /** The ids of review entries that a person has decided about. */
  readonly resolvedReviews = new Set<string>();
  readonly config: IdentityConfig;
  readonly newId: () => string;
  /** What parts conversations, in milliseconds. */
  readonly silence: number;
  readonly #sourceProfiles: Map<string, SourceProfile>;
  readonly #owners: Map<Identifier, string>;
  readonly #retainedRefusals: ReadonlyMap<Identifier, RetainedRefusal>;

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
    this.config = config;
    this.newId = newId;
    this.silence = silence;
  }

  /** Whether a half is among those that were loaded. */
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

  /** A surviving half and everything merged into it, the half itself first. */
  mergeTree(root: string): SourceProfile[] {
    return mergeTree(root, this.#sourceProfiles);
  }

  /** The surviving half of the customer that a half belongs to. */
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

  /** The half that holds an identifier, if anyone does. */
  owner(identifier: Identifier): string | undefined {
    return this.#owners.get(identifier);
  }

  /** The half that holds an identifier which is known to be held. */
  ownerOf(identifier: Identifier): string {
    const profileId = this.#owners.get(identifier);
    if (profileId === undefined) throw new Error(`Nobody owns the identifier asked for.`);
    return profileId;
  }

  /** A new half, which is written once something of it is set. */
  add(sourceProfile: SourceProfile): void {
    this.#sourceProfiles.set(sourceProfile.profile.id, sourceProfile);
  }

  /** A half takes an identifier that nobody holds, and what an erasure has left of it. */
  attachIdentifier(identifier: Identifier, profileId: string): void {
    const { profile } = this.sourceProfile(profileId);
    this.#owners.set(identifier, profileId);
    this.newOwners.set(identifier, profileId);
    const holding = { ...profile, identifiers: [...profile.identifiers, identifier] };
    const told = this.#retainedRefusals.get(identifier);
    this.setProfile(told ? applyRetainedRefusal(holding, identifier, told) : holding);
  }

  /** From now on another half answers for an identifier; their profiles say so already. */
  reassignIdentifier(identifier: Identifier, profileId: string): void {
    this.#owners.set(identifier, profileId);
  }

  /** Sets the profile where the change is one. */
  updateProfile(profileId: string, updateProfile: (profile: Profile) => Profile): void {
    const { profile } = this.sourceProfile(profileId);
    const next = updateProfile(profile);
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
