import type { RecordedAnswer } from '../../../core/consent/evidence.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { Channel, Instant } from '../../../core/interaction/interaction.ts';
import { applyToConversation, type Conversation } from '../../../core/timeline/conversation.ts';
import { customerAsOf } from '../../../core/triggers/why/as-of.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';

/** What is known of a customer at an instant of the past. */
export interface Then {
  /** Takes the interaction that arrived next. */
  arrive(past: StoredInteraction): void;
  /** The customer as it was; the present one where the history does not say otherwise. */
  at(at: Instant): Customer;
}

/**
 * Follows a customer through its history, in the order of arrival, and keeps no interaction but the newest and the newest
 * message of each channel. `answers`: oldest first; `silence`: milliseconds between two conversations.
 */
export const followCustomer = (
  customer: Customer,
  answers: readonly RecordedAnswer[],
  silence: number,
): Then => {
  let newest: StoredInteraction | undefined;
  const messages = new Map<Channel, StoredInteraction>();
  let conversation: Conversation | undefined;
  const newerOf = (one: StoredInteraction | undefined, other: StoredInteraction): StoredInteraction =>
    one !== undefined && one.occurredAt > other.occurredAt ? one : other;
  return {
    arrive(past) {
      newest = newerOf(newest, past);
      if (past.kind === 'message' && past.direction === 'inbound')
        messages.set(past.channel, newerOf(messages.get(past.channel), past));
      conversation = applyToConversation(conversation, past, silence);
    },
    at(at) {
      const known = [...(newest ? [newest] : []), ...messages.values()];
      const closedAt = customer.conversation?.closedAt;
      const open = conversation?.open ?? [];
      return {
        ...customerAsOf(customer, answers, known, at),
        conversation: conversation && {
          ...conversation,
          open: closedAt !== undefined && closedAt <= at ? open.filter((asked) => asked > closedAt) : open,
        },
        lastSeenAt:
          newest !== undefined && customer.lastSeenAt > at ? newest.occurredAt : customer.lastSeenAt,
      };
    },
  };
};
