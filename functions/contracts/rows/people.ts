import * as z from 'zod';
import { RecordedAnswer } from '../../../core/consent/evidence.ts';
import { Identifier } from '../../../core/identity/identifier.ts';
import {
  ClaimedPairs,
  Confirmation,
  Merge,
  Reopening,
  Review,
  Split,
} from '../../../core/identity/ledger.ts';
import { Activity, Profile } from '../../../core/identity/profile.ts';
import { Channel, Instant } from '../../../core/interaction/interaction.ts';
import { RetainedRefusal } from '../../../core/privacy/erasure.ts';
import { rowReader } from './row.ts';

export const profileOf = rowReader(Profile);
export const activityOf = rowReader(Activity);
export const mergeOf = rowReader(Merge);
export const splitOf = rowReader(Split);
export const reopeningOf = rowReader(Reopening);
export const confirmationOf = rowReader(Confirmation);
export const answerOf = rowReader(RecordedAnswer);
export const reviewOf = rowReader(Review);

/** Who owns an identifier. */
const Owner = z.strictObject({
  identifier: Identifier,
  profileId: z.string(),
  /**
   * Every source profile of the owning customer when this row was last written: a hint that saves a round trip. Readers
   * follow the profiles' own pointers.
   */
  customerProfileIds: z.array(z.string()),
});
export type Owner = z.infer<typeof Owner>;
export const ownerOf = rowReader(Owner);

/** The guest that an identifier without an owner has. */
const Guest = z.strictObject({ identifier: Identifier, profileId: z.string() });
export const guestOf = rowReader(Guest);

/** A guest that claims an identifier of which it is not the guest. */
const Claim = z.strictObject({ profileId: z.string() });
export const claimOf = rowReader(Claim);

/** An opt-out or an opt-in by an address that was only claimed. */
const AddressClaimRow = z.strictObject({ channel: Channel, at: Instant, source: z.string() });
export const addressClaimOf = rowReader(AddressClaimRow);

export const claimedPairsOf = rowReader(ClaimedPairs);

/** What stays of an identifier whose owner was erased at `at`, so that what was queued before is dropped. */
const Erased = z.strictObject({ at: Instant, retainedRefusal: RetainedRefusal.optional() });
export const erasedOf = rowReader(Erased);
