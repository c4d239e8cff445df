// https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
// WhatsApp: a person may have a number (wa_id), a business-scoped id (user_id) or both; since 2026 the number may be missing.
// `contacts` may describe a person other than the sender, so it is used only if the ids are equal.

import * as z from 'zod';
import { instantOf } from '../../../core/formats/payload.ts';
import { e164 } from '../../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';

const Text = z.string().optional();

export const Contact = z.looseObject({
  wa_id: Text,
  user_id: Text,
  parent_user_id: Text,
  profile: z.looseObject({ name: Text }).optional(),
});
export type Contact = z.infer<typeof Contact>;

/** How a message, status or call names a person. */
export interface Named {
  readonly waId?: string | undefined;
  readonly userId?: string | undefined;
  readonly parentId?: string | undefined;
}

/** The identifiers of one account. */
export const identifiersOf = ({ waId, userId, parentId }: Named): string[] => {
  const number = waId !== undefined && /^\d{7,15}$/u.test(waId) ? waId : undefined;
  const phone = number === undefined ? undefined : e164(`+${number}`);
  return [
    ...(number === undefined ? [] : [`whatsapp:${number}`]),
    ...(phone === undefined ? [] : [`phone:${phone}`]),
    ...(isId(userId) ? [`whatsapp-user:${userId}`] : []),
    ...(isId(parentId) ? [`whatsapp-parent-user:${parentId}`] : []),
  ];
};

/** Meta's own examples have placeholders in angle brackets instead of ids. */
const isId = (id: string | undefined): boolean => id !== undefined && !/[<>]/u.test(id);

export const person = (
  contacts: readonly Contact[] | undefined,
  { waId, userId, parentId }: Named,
): Pick<DecodedInteraction, 'identifiers' | 'profile'> => {
  const contact = contacts?.find(
    (one) => (waId !== undefined && one.wa_id === waId) || (userId !== undefined && one.user_id === userId),
  );
  const name = contact?.profile?.name;
  return {
    identifiers: identifiersOf({
      waId: waId ?? contact?.wa_id,
      userId: userId ?? contact?.user_id,
      parentId: parentId ?? contact?.parent_user_id,
    }),
    ...(name !== undefined && { profile: { name: { full: name } } }),
  };
};

export const timed = (timestamp: string | number): Pick<DecodedInteraction, 'occurredAt'> => {
  const at = instantOf(timestamp);
  return at === undefined ? {} : { occurredAt: at };
};
