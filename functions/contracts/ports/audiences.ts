import type { Instant } from '../../../core/interaction/interaction.ts';

/** The triggers that look at customers, and who is in their audiences. */
export interface Audiences {
  all(): Promise<readonly Audience[]>;
  save(audience: Audience): Promise<void>;
  /** Those of some source profiles that are in the audience of a trigger. */
  members(trigger: string, profileIds: readonly string[]): Promise<ReadonlySet<string>>;
  enter(trigger: string, profileIds: readonly string[], since: Instant): Promise<void>;
  leave(trigger: string, profileIds: readonly string[]): Promise<void>;
}

export interface Audience {
  readonly trigger: string;
  /** Up to when its looks are planned; absent before the first. */
  readonly upTo?: Instant | undefined;
}

/** All persons by time zone. */
export interface Zones {
  /** The zones of all persons; empty for those whose zone is unknown. */
  inUse(): Promise<readonly string[]>;
  /** Ids of the persons of a zone in one of `zoneParts`, behind the id `after`; fewer than `limit` at the end. */
  page(part: number, zone: string, after: string | undefined, limit: number): Promise<readonly string[]>;
}
