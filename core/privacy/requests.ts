import type { Review } from '../identity/ledger.ts';
import { type Instant, type Interaction, instant } from '../interaction/interaction.ts';

/**
 * Days in which a request must be answered: Shopify expects it of every app that uses its data
 * (https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance), and the GDPR (article 12.3) gives one month.
 */
const DAYS_TO_ANSWER = 30;

const reasons = { 'privacy-export': 'data-request', 'privacy-erasure': 'erasure-request' } as const;

/** Whether somebody asks through an interaction for their data, or to be erased. */
export const isPrivacyRequest = (
  interaction: Pick<Interaction, 'kind'>,
): interaction is { kind: keyof typeof reasons } => Object.hasOwn(reasons, interaction.kind);

/** The review of a request. `profileId`: on whose timeline it is; absent where it names nobody. */
export const privacyReview = (
  interaction: Interaction,
  profileId: string | undefined,
  receivedAt: Instant,
): Review | undefined =>
  isPrivacyRequest(interaction)
    ? {
        ...{ type: 'request', reason: reasons[interaction.kind], interaction, receivedAt },
        ...(profileId !== undefined && { profileId }),
        dueAt: instant(Date.parse(receivedAt) + DAYS_TO_ANSWER * 86_400_000),
      }
    : undefined;
