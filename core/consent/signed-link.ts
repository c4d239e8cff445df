import * as z from 'zod';
import { Channel, type Instant } from '../interaction/interaction.ts';
import { hmac, sameAsAny } from '../webhooks/signature.ts';

/** The content of an unsubscribe link: the source profile and the channel. It contains no address. */
const UnsubscribePayload = z
  .tuple([z.string(), Channel])
  .transform(([profileId, channel]) => ({ profileId, channel }));
export type UnsubscribeLink = z.output<typeof UnsubscribePayload>;

/** The content of a link to the preferences page: the source profile, and when the link expires, in epoch seconds. */
const PreferencesPayload = z
  .tuple([z.string(), z.int()])
  .transform(([profileId, until]) => ({ profileId, until }));
export type PreferencesLink = z.output<typeof PreferencesPayload>;

const Keys = z.object({
  keys: z.union([z.string().min(16), z.array(z.string().min(16)).min(1)]).transform((one) => [one].flat()),
});

/** The keys of the secret `<hub>/signing`, newest first. Throws a zod error if there is none or one is too short. */
export const signingKeys = (secret: unknown): readonly string[] => Keys.parse(secret).keys;

/** The kind of a link. It is signed too, so that a token of one kind is not valid for the other. */
type Purpose = 'unsubscribe' | 'preferences';

const signature = (purpose: Purpose, key: string, payload: string): string =>
  hmac('sha256', key, 'base64url', `${purpose}.`, payload);

const signToken = (
  purpose: Purpose,
  content: readonly unknown[],
  [newest = '']: readonly string[],
): string => {
  const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${payload}.${signature(purpose, newest, payload)}`;
};

/** The payload of a token that was signed for this purpose with one of the keys; undefined if it was not. */
const verifyToken = (purpose: Purpose, token: string, keys: readonly string[]): unknown => {
  const [payload = '', presented = '', ...more] = token.split('.');
  if (more.length > 0 || keys.length === 0) return undefined;
  const expected = keys.map((key) => signature(purpose, key, payload));
  return sameAsAny(presented, expected)
    ? JSON.parse(Buffer.from(payload, 'base64url').toString())
    : undefined;
};

/** The token of `<public URL>/unsubscribe/<token>`. It does not expire, so that the link of an old mail works. */
export const unsubscribeToken = ({ profileId, channel }: UnsubscribeLink, keys: readonly string[]): string =>
  signToken('unsubscribe', [profileId, channel], keys);

/** Undefined if the hub did not sign the token. */
export const readUnsubscribeToken = (token: string, keys: readonly string[]): UnsubscribeLink | undefined => {
  const content = verifyToken('unsubscribe', token, keys);
  return content === undefined ? undefined : UnsubscribePayload.parse(content);
};

/**
 * The token of `<public URL>/preferences/<token>`. It expires, because the page also turns messages on. The page checks
 * `until` itself, so that it can offer a new link.
 */
export const preferencesToken = ({ profileId, until }: PreferencesLink, keys: readonly string[]): string =>
  signToken('preferences', [profileId, until], keys);

/** Undefined if the hub did not sign the token. Whether it has expired is not checked. */
export const readPreferencesToken = (token: string, keys: readonly string[]): PreferencesLink | undefined => {
  const content = verifyToken('preferences', token, keys);
  return content === undefined ? undefined : PreferencesPayload.parse(content);
};

const DAY_SECONDS = 86_400;
const VALID_DAYS = 90;

/** When the link in a message expires, in epoch seconds; equal for a message that is rendered again on the same day. */
export const preferencesUntil = (sentAt: Instant): number =>
  (Math.floor(Date.parse(sentAt) / 1000 / DAY_SECONDS) + 1 + VALID_DAYS) * DAY_SECONDS;
