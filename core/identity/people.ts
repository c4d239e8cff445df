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
  /** Refusals that are retained of identifiers whose earlier owner was erased. */
  readonly retainedRefusals?: ReadonlyMap<Identifier, RetainedRefusal>;
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
  readonly merges = new Map<string, Merge>();
  readonly unmerges: Unmerge[] = [];
  readonly splits: Split[] = [];
  readonly reopenings: Reopening[] = [];
  readonly reviews: Review[] = [];
  /** Consent answers to store, with the source profile that gave them. */
  readonly answers: { readonly profileId: string; readonly answer: RecordedAnswer }[] = [];
  /** The ids of reviews to close. */
  readonly resolvedReviews = new Set<string>();
  readonly config: IdentityConfig;
  readonly newId: () => string;
  /** Milliseconds without a message after which a conversation ends. */
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

  /** The source profile that owns an identifier; undefined if it has no owner. */
  owner(identifier: Identifier): string | undefined {
    return this.#owners.get(identifier);
  }

  /** The source profile that owns an identifier which has an owner. */
  ownerOf(identifier: Identifier): string {
    const profileId = this.#owners.get(identifier);
    if (profileId === undefined) throw new Error('The identifier has no owner.');
    return profileId;
  }

  /** Adds a new source profile. It is written only if `setProfile` or `setActivity` is called for it. */
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

  /** Changes the owner of an identifier. The caller changes both profiles. */
  reassignIdentifier(identifier: Identifier, profileId: string): void {
    this.#owners.set(identifier, profileId);
  }

  /** Sets the profile if `change` returns a different one. */
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
