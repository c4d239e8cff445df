import * as z from 'zod';
import { Identifier } from '../identity/identifier.ts';
import { Channel } from '../interaction/interaction.ts';
import { hmac, isOneOf } from '../webhooks/signature.ts';

/**
 * The content of a link: the address that it was sent to, the channel of the message, and when it was issued, in epoch
 * seconds. It contains no customer id, so after a merge or a handed-over number it applies to the present owner of the address.
 */
const LinkContent = z
  .tuple([Identifier, Channel, z.int().nonnegative()])
  .transform(([address, channel, issuedAt]) => ({ address, channel, issuedAt }));
export type AddressLink = z.output<typeof LinkContent>;

const Keys = z.object({
  keys: z.union([z.string().min(16), z.array(z.string().min(16)).min(1)]).transform((one) => [one].flat()),
});

/** The keys of the secret `<hub>/signing`, newest first. Throws a zod error if there is none or one is too short. */
export const signingKeys = (secret: unknown): readonly string[] => Keys.parse(secret).keys;

/** What a link is for. It is signed too, so that the token of one purpose is not valid for another. */
export type LinkPurpose = 'unsubscribe' | 'preferences' | 'confirm';

const DAY_SECONDS = 86_400;
/** How long a link is valid. A link that only turns off is valid for ever. */
const validSeconds: Readonly<Record<LinkPurpose, number>> = {
  unsubscribe: Number.POSITIVE_INFINITY,
  preferences: 30 * DAY_SECONDS,
  confirm: 7 * DAY_SECONDS,
};

const signature = (purpose: string, key: string, payload: string): string =>
  hmac('sha256', key, 'base64url', `${purpose}.`, payload);

/** A token of a purpose with a content, signed with the newest key. */
export const signToken = (purpose: string, content: unknown, [newest = '']: readonly string[]): string => {
  const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${payload}.${signature(purpose, newest, payload)}`;
};

/** The content of a token; undefined if none of the keys signed it for this purpose. */
export const openToken = (purpose: string, token: string, keys: readonly string[]): unknown => {
  const [payload = '', presented = '', ...more] = token.split('.');
  if (more.length > 0 || keys.length === 0) return undefined;
  const expected = keys.map((key) => signature(purpose, key, payload));
  if (!isOneOf(presented, expected)) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString());
};

/** The token of `<public URL>/<purpose>/<token>`, signed with the newest key. */
export const signLink = (
  purpose: LinkPurpose,
  { address, channel, issuedAt }: AddressLink,
  keys: readonly string[],
): string => signToken(purpose, [address, channel, issuedAt], keys);

/**
 * Undefined if none of the keys signed the token for this purpose. Whether the link has expired is not checked, so that
 * its page can explain it.
 */
export const readLink = (
  purpose: LinkPurpose,
  token: string,
  keys: readonly string[],
): AddressLink | undefined => LinkContent.safeParse(openToken(purpose, token, keys)).data;

/** `now`: epoch milliseconds. */
export const isExpired = (purpose: LinkPurpose, { issuedAt }: AddressLink, now: number): boolean =>
  now / 1000 >= issuedAt + validSeconds[purpose];

/** A handle for an address in the form of another address: the browser cannot read the address from it. */
export const addressHandle = (address: Identifier, [newest = '']: readonly string[]): string =>
  signature('address', newest, address).slice(0, 16);
