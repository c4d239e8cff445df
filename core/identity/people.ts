import { durationMs } from '../config/duration.ts';
import type { GivenAnswer } from '../consent/evidence.ts';
import { type Remembered, recalled } from '../privacy/erasure.ts';
import { type Customer, foldCustomer, type Half, type Profile, treeOf } from './customer.ts';
import type { Identifier } from './identifier.ts';
import type { Merge, Reopening, Review, Split, Unmerge } from './ledger.ts';
import type { IdentityConfig } from './rules.ts';

export interface PeopleState {
  readonly halves: Iterable<Half>;
  readonly owners: Iterable<readonly [Identifier, string]>;
  /** What must not be forgotten of identifiers whose earlier owner was erased. */
  readonly remembered?: ReadonlyMap<Identifier, Remembered>;
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
  readonly answers: { readonly half: string; readonly given: GivenAnswer }[] = [];
  /** The ids of review entries that a person has decided about. */
  readonly resolved = new Set<string>();
  readonly config: IdentityConfig;
  readonly newId: () => string;
  /** What parts conversations, in milliseconds. */
  readonly silence: number;
  readonly #halves: Map<string, Half>;
  readonly #owners: Map<Identifier, string>;
  readonly #remembered: ReadonlyMap<Identifier, Remembered>;

  constructor(
    state: PeopleState,
    config: IdentityConfig,
    newId: () => string,
    silence: number = durationMs('72h'),
  ) {
    this.#halves = new Map([...state.halves].map((half) => [half.profile.id, half]));
    this.#owners = new Map(state.owners);
    this.#remembered = state.remembered ?? new Map();
    this.config = config;
    this.newId = newId;
    this.silence = silence;
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
    return foldCustomer(this.rootOf(half), this.#halves);
  }

  /** A surviving half and everything merged into it, the half itself first. */
  tree(root: string): Half[] {
    return treeOf(root, this.#halves);
  }

  /** The surviving half of the customer that a half belongs to. */
  rootOf(half: string): string {
    let id = half;
    for (
      let next = this.half(id).activity.survivor;
      next !== undefined;
      next = this.half(id).activity.survivor
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
    const half = this.#owners.get(identifier);
    if (half === undefined) throw new Error(`Nobody owns the identifier asked for.`);
    return half;
  }

  /** A new half, which is written once something of it is set. */
  add(half: Half): void {
    this.#halves.set(half.profile.id, half);
  }

  /** A half takes an identifier that nobody holds, and what an erasure has left of it. */
  own(identifier: Identifier, half: string): void {
    const { profile } = this.half(half);
    this.#owners.set(identifier, half);
    this.newOwners.set(identifier, half);
    const holding = { ...profile, identifiers: [...profile.identifiers, identifier] };
    const told = this.#remembered.get(identifier);
    this.setProfile(told ? recalled(holding, identifier, told) : holding);
  }

  /** From now on another half answers for an identifier; their profiles say so already. */
  handOver(identifier: Identifier, half: string): void {
    this.#owners.set(identifier, half);
  }

  /** Sets the profile where the change is one. */
  change(half: string, change: (profile: Profile) => Profile): void {
    const { profile } = this.half(half);
    const next = change(profile);
    if (JSON.stringify(next) !== JSON.stringify(profile)) this.setProfile(next);
  }

  setProfile(profile: Profile): void {
    this.#halves.set(profile.id, { ...this.half(profile.id), profile });
    this.changedProfiles.add(profile.id);
  }

  setActivity(activity: Half['activity']): void {
    this.#halves.set(activity.id, { ...this.half(activity.id), activity });
    this.changedActivities.add(activity.id);
  }
}
