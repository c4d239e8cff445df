import * as z from 'zod';

/** `type:value`, in normal form: `email:ada@example.com`, `phone:+14155550100`, `messenger:<page>:<psid>`. */
export const Identifier = z
  .string()
  .max(1024)
  .regex(/^[a-z][a-z0-9-]*:.+$/su, { error: 'expected an identifier of the form type:value' });
export type Identifier = z.infer<typeof Identifier>;

/** The part before the first colon. */
export const identifierType = (identifier: Identifier): string =>
  identifier.slice(0, identifier.indexOf(':'));

/** The part after the first colon, scopes included. */
export const identifierValue = (identifier: Identifier): string =>
  identifier.slice(identifier.indexOf(':') + 1);
