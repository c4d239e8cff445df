import * as z from 'zod';

export const ConsentStatus = z.enum(['granted', 'service-only', 'denied', 'unknown']);
export type ConsentStatus = z.infer<typeof ConsentStatus>;

/** Why a message is sent: decides which consent it needs, which limits count it and whether quiet hours hold. */
export const Category = z.enum(['marketing', 'service', 'transactional']);
export type Category = z.infer<typeof Category>;
