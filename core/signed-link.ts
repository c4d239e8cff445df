import * as z from 'zod';
import { Channel } from './interaction.ts';
import { hmac, sameAsAny } from './signature.ts';

/** What a link in a message says: whose it is, and which channel it is about. It names no address. */
const Claim = z.strictObject({ half: z.string(), channel: Channel });
export type Claim = z.infer<typeof Claim>;

const Keys = z.object({
  keys: z.union([z.string().min(16), z.array(z.string().min(16)).min(1)]).transform((one) => [one].flat()),
});

/** The keys in the secret `<hub>/signing`, newest first. Throws where there is none: nothing is signed with an empty key. */
export const signingKeys = (secret: unknown): readonly string[] => Keys.parse(secret).keys;

// The purpose is signed too, so that a token of another kind of link is never taken for this one.
const signature = (key: string, payload: string): string =>
  Buffer.from(hmac('sha256', key, 'base64', 'unsubscribe.', payload), 'base64').toString('base64url');

/** A token that only the hub can make, for `<public URL>/unsubscribe/<token>`. It does not expire: old mails unsubscribe too. */
export const unsubscribeToken = ({ half, channel }: Claim, [newest = '']: readonly string[]): string => {
  const payload = Buffer.from(JSON.stringify([half, channel])).toString('base64url');
  return `${payload}.${signature(newest, payload)}`;
};

/** What a token says, or undefined where the hub has not made it. */
export const readUnsubscribeToken = (token: string, keys: readonly string[]): Claim | undefined => {
  const [payload = '', given = '', ...more] = token.split('.');
  if (more.length > 0 || keys.length === 0) return undefined;
  if (
    !sameAsAny(
      given,
      keys.map((key) => signature(key, payload)),
    )
  )
    return undefined;
  const [half, channel]: unknown[] = z
    .array(z.unknown())
    .parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  return Claim.parse({ half, channel });
};
