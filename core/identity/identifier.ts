import * as z from 'zod';

/** `type:value`, in normal form: `email:ada@example.com`, `phone:+14155550100`, `messenger:<page>:<psid>`. */
export const Identifier = z
  .string()
  .max(8192)
  .regex(/^[a-z][a-z0-9-]*:.+$/su, { error: 'expected an identifier of the form type:value' });
export type Identifier = z.infer<typeof Identifier>;

/** The part before the first colon. */
export const identifierType = (identifier: Identifier): string =>
  identifier.slice(0, identifier.indexOf(':'));

/** The part after the first colon, scopes included. */
export const identifierValue = (identifier: Identifier): string =>
  identifier.slice(identifier.indexOf(':') + 1);

/**
 * The identifier types, in the order of the table in docs/identity.md: an example of the value with its scopes, and what it
 * identifies. Every other type is the name of a provider, and its value is that provider's id of the person.
 */
export const identifierTypes: Readonly<Record<string, { readonly value: string; readonly about: string }>> = {
  email: { value: 'ada@example.com', about: 'an address, in lower case' },
  phone: { value: '+14155550100', about: 'a number with its country code (E.164)' },
  'user-id': { value: '42', about: "the account in the business's own systems" },
  anonymous: { value: '<id>', about: 'a device or browser on which nobody has signed in' },
  whatsapp: { value: '<wa_id>', about: 'a WhatsApp number; it is a `phone` as well' },
  'whatsapp-user': {
    value: '<BSUID>',
    about: 'a WhatsApp person for this business, with or without a number',
  },
  'whatsapp-parent-user': { value: '<id>', about: 'the same for a group of linked businesses' },
  messenger: { value: '<page>:<psid>', about: 'a person for one Facebook page' },
  instagram: { value: '<account>:<igsid>', about: 'a person for one Instagram account' },
  telegram: { value: '<user>', about: 'a Telegram user' },
  line: { value: '<userId>', about: 'a LINE user' },
  slack: { value: '<team>:<user>', about: 'a member of a Slack workspace' },
  aad: { value: '<object id>', about: 'a Microsoft Entra user, beside `teams`' },
  push: { value: '<app>:<token>', about: 'an app on a device' },
};
