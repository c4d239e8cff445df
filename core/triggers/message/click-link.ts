import * as z from 'zod';
import { openToken, signToken } from '../../consent/signed-link.ts';
import { decodeEntities } from '../../formats/html.ts';

/** What a tracked link leads to, and the message in which it stands. */
const ClickContent = z
  .tuple(
    [z.string().regex(/^https?:\/\//iu), z.string(), z.string(), z.string(), z.string()],
    // The step of a series.
    z.string(),
  )
  .transform(([url, profileId, trigger, interaction, provider, step]) => ({
    ...{ url, profileId, trigger, interaction, provider },
    ...(step !== undefined && { step }),
  }));
export type ClickLink = z.output<typeof ClickContent>;

const PURPOSE = 'click';

/** The token of `<public URL>/r/<token>`, signed with the newest key. */
export const signClick = (
  { url, profileId, trigger, interaction, provider, step }: ClickLink,
  keys: readonly string[],
): string =>
  signToken(
    PURPOSE,
    [url, profileId, trigger, interaction, provider, ...(step === undefined ? [] : [step])],
    keys,
  );

/** Undefined if none of the keys signed the token: the redirect leads to addresses of our own messages alone. It never expires. */
export const readClick = (token: string, keys: readonly string[]): ClickLink | undefined =>
  ClickContent.safeParse(openToken(PURPOSE, token, keys)).data;

/** A longer address would not fit into a request for its token. */
const LONGEST_URL = 2000;

const canTrack = (url: string): boolean =>
  /^https?:\/\//iu.test(url) && URL.canParse(url) && url.length <= LONGEST_URL;

const HREF = /(\shref\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))/iu;

/**
 * Replaces the addresses of the links in HTML by those that `track` returns. `kept`: addresses that stay. Links that are
 * neither http nor https stay as well, and so does all text.
 */
export const withTrackedLinks = (
  html: string,
  kept: ReadonlySet<string>,
  track: (url: string) => string,
): string =>
  html.replace(/<a(?=\s)[^<>]*>/giu, (tag) =>
    tag.replace(HREF, (whole: string, before: string, double?: string, single?: string, bare?: string) => {
      const url = decodeEntities(double ?? single ?? bare ?? '').trim();
      return canTrack(url) && !kept.has(url) ? `${before}"${track(url)}"` : whole;
    }),
  );

/** Programs that open links without a person: scanners of mail, previews of chats, prefetching browsers. */
const PROGRAM =
  /bot\b|crawl|spider|slurp|preview|prefetch|scan|facebookexternalhit|whatsapp|barracuda|mimecast|proofpoint|safelinks|googleimageproxy|headless|python|curl|wget|go-http-client|java\/|okhttp|axios|node-fetch|undici/iu;

/** Whether a request for a tracked link is a person's click, as far as its method and headers tell. */
export const isClick = (method: string, headers: Readonly<Record<string, string | undefined>>): boolean => {
  const agent = headers['user-agent'] ?? '';
  const purpose = [headers['sec-purpose'], headers['purpose'], headers['x-purpose'], headers['x-moz']].join(
    ' ',
  );
  return method === 'GET' && agent !== '' && !PROGRAM.test(agent) && !/prefetch|preview/iu.test(purpose);
};
