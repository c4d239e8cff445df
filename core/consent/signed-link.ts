import * as z from 'zod';
import { Channel, type Instant } from '../interaction/interaction.ts';
import { hmac, sameAsAny } from '../webhooks/signature.ts';

/** What a link that ends marketing says: whose it is, and which channel it is about. It names no address. */
const UnsubscribePayload = z
  .tuple([z.string(), Channel])
  .transform(([profileId, channel]) => ({ profileId, channel }));
export type UnsubscribeLink = z.output<typeof UnsubscribePayload>;

/** What a link to a person's choices says: whose they are, and until when it is good, in epoch seconds. */
const PreferencesPayload = z
  .tuple([z.string(), z.int()])
  .transform(([profileId, until]) => ({ profileId, until }));
export type PreferencesLink = z.output<typeof PreferencesPayload>;

const Keys = z.object({
  keys: z.union([z.string().min(16), z.array(z.string().min(16)).min(1)]).transform((one) => [one].flat()),
});

/** The keys in the secret `<hub>/signing`, newest first. Throws where there is none: nothing is signed with an empty key. */
export const signingKeys = (secret: unknown): readonly string[] => Keys.parse(secret).keys;

/** What a link is good for. It is signed too, so that a token of one kind of link is never taken for another. */
type Purpose = 'unsubscribe' | 'preferences';

const signature = (purpose: Purpose, key: string, payload: string): string =>
  hmac('sha256', key, 'base64url', `${purpose}.`, payload);

const signToken = (purpose: Purpose, claim: readonly unknown[], [newest = '']: readonly string[]): string => {
  const payload = Buffer.from(JSON.stringify(claim)).toString('base64url');
  return `${payload}.${signature(purpose, newest, payload)}`;
};

/** What was sealed for this purpose with one of the keys; undefined where the hub has not made the token. */
const verifyToken = (purpose: Purpose, token: string, keys: readonly string[]): unknown => {
  const [payload = '', given = '', ...more] = token.split('.');
  if (more.length > 0 || keys.length === 0) return undefined;
  const expected = keys.map((key) => signature(purpose, key, payload));
  return sameAsAny(given, expected) ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : undefined;
};

/** A token for `<public URL>/unsubscribe/<token>`. It does not expire: old mails unsubscribe too. */
export const unsubscribeToken = ({ profileId, channel }: UnsubscribeLink, keys: readonly string[]): string =>
  signToken('unsubscribe', [profileId, channel], keys);

export const readUnsubscribeToken = (token: string, keys: readonly string[]): UnsubscribeLink | undefined => {
  const claim = verifyToken('unsubscribe', token, keys);
  return claim === undefined ? undefined : UnsubscribePayload.parse(claim);
};

/**
 * A token for `<public URL>/preferences/<token>`. It expires, because it also turns messages on. Whether it has is for
 * the reader to judge, who tells how to get a fresh one.
 */
export const preferencesToken = ({ profileId, until }: PreferencesLink, keys: readonly string[]): string =>
  signToken('preferences', [profileId, until], keys);

export const readPreferencesToken = (token: string, keys: readonly string[]): PreferencesLink | undefined => {
  const claim = verifyToken('preferences', token, keys);
  return claim === undefined ? undefined : PreferencesPayload.parse(claim);
};

const DAY_SECONDS = 86_400;
const GOOD_FOR_DAYS = 90;

/** Until when a link in a message is good; the same for a message that is rendered again on the same day. */
export const preferencesUntil = (sentAt: Instant): number =>
  (Math.floor(Date.parse(sentAt) / 1000 / DAY_SECONDS) + 1 + GOOD_FOR_DAYS) * DAY_SECONDS;
