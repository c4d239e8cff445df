import * as z from 'zod';
import { Category } from '../../../core/consent/consent.ts';
import { Channel, Instant } from '../../../core/interaction/interaction.ts';
import { Notification } from '../../../core/triggers/notification.ts';
import { Place } from '../../../core/triggers/series/place.ts';
import { rowReader } from './row.ts';

export const notificationOf = rowReader(Notification);
export const placeOf = rowReader(Place);

/** The sends to one source profile that count against limits and caps. */
export const Limits = z.object({
  /** Counts every change; 0 where there is no row. */
  version: z.int(),
  reservations: z.array(
    z.object({
      trigger: z.string(),
      step: z.string().optional(),
      category: Category.optional(),
      /** Epoch milliseconds. */
      at: z.number(),
    }),
  ),
});
export type Limits = z.infer<typeof Limits>;
export const limitsRowOf = rowReader(Limits);

/** A message that somebody sends to an address of their own to see it. */
export const TestMessageRow = z.object({
  channel: Channel,
  /** The address alone, without its type. */
  to: z.string(),
  subject: z.string().optional(),
  from: z.string().optional(),
  text: z.string(),
  html: z.string().optional(),
});
export type TestMessageRow = z.infer<typeof TestMessageRow>;
export const testMessageOf = rowReader(TestMessageRow);

/** Who has used up a value of a trigger's `once`. */
export const OnceRow = z.object({ interaction: z.string(), version: z.int().positive() });
export const onceOf = rowReader(OnceRow);

/** A trigger that looks at customers: up to when its looks are planned. */
const AudienceRow = z.object({ upTo: Instant.optional() });
export const audienceOf = rowReader(AudienceRow);

/** Since when a source profile has been in the audience of a trigger. */
export const MemberRow = z.object({ trigger: z.string(), since: Instant });

const Authored = z.object({
  definition: z.unknown(),
  templates: z.record(z.string(), z.record(z.string(), z.string())),
  /** Who wrote it, when, and why. Rows of earlier releases do not have them. */
  by: z.string().optional(),
  at: Instant.optional(),
  note: z.string().optional(),
});

/** One published version, with its templates as they were: an edit leaves started waits on theirs. */
export const TriggerVersionRow = Authored.extend({
  /** The earlier version that this one restores. */
  restores: z.int().positive().optional(),
});
export type TriggerVersionRow = z.infer<typeof TriggerVersionRow>;
export const triggerVersionOf = rowReader(TriggerVersionRow);

/** A trigger that is stored and not published. */
export const TriggerDraft = Authored.extend({ by: z.string(), at: Instant });
export type TriggerDraft = z.infer<typeof TriggerDraft>;
export const triggerDraftOf = rowReader(TriggerDraft);

/** Which version of a trigger runs. */
export const CurrentTrigger = z.object({
  version: z.int().positive(),
  paused: z.boolean(),
  /** The last pause: what was waiting then is not sent, even after the trigger was resumed. */
  pausedAt: Instant.optional(),
  pausedBy: z.string().optional(),
  /** Since when it has run without a pause, whatever its version. */
  since: Instant.optional(),
  /** Of definition and templates: an equal digest is a repetition. */
  digest: z.string(),
  /** The digest that a deploy published; where it differs from `digest` a person has edited the trigger since. */
  seeded: z.string().optional(),
});
export type CurrentTrigger = z.infer<typeof CurrentTrigger>;
export const currentTriggerOf = rowReader(CurrentTrigger);
