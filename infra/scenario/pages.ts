import type { LinkPurpose } from '../../core/consent/signed-link.ts';
import { type Identifier, identifierValue } from '../../core/identity/identifier.ts';
import { normaliseIdentifier } from '../../core/identity/normalise.ts';
import type { Cloud } from '../local/runtime/cloud.ts';

type PageCloud = Pick<Cloud, 'sentMessages' | 'front'>;

/** The paths of the hub's own pages in the messages that an address got, oldest first. */
const linksTo = ({ sentMessages }: Pick<Cloud, 'sentMessages'>, to: Identifier): string[] => {
  const address = identifierValue(normaliseIdentifier(to) ?? to);
  return sentMessages
    .list()
    .filter((message) => message.to.includes(address))
    .flatMap(({ text = '', html = '', headers = {} }) =>
      [text, html, ...Object.values(headers)].flatMap((part) =>
        [...part.matchAll(/\/(?:unsubscribe|preferences|confirm)\/[\w.-]+/gu)].map(([path]) => path),
      ),
    );
};

/** Opens every link of the messages that an address got. Throws where it got none, or a page is an error. */
export const openLinks = async (cloud: PageCloud, to: Identifier): Promise<void> => {
  const links = linksTo(cloud, to);
  if (links.length === 0) throw new Error(`${to} got no message with a link.`);
  for (const target of new Set(links)) await request(cloud, 'GET', target, {});
};

/**
 * Presses the button behind the newest link of one purpose that an address got. Throws where it got none, or the page is an
 * error.
 */
export const pressButton = async (
  cloud: PageCloud,
  {
    to,
    link,
    form,
  }: {
    readonly to: Identifier;
    readonly link: LinkPurpose;
    readonly form: Readonly<Record<string, string>>;
  },
): Promise<void> => {
  const target = linksTo(cloud, to).findLast((path) => path.startsWith(`/${link}/`));
  if (target === undefined) throw new Error(`${to} got no message with a link to ${link}.`);
  await request(cloud, 'POST', target, form);
};

const request = async (
  { front }: Pick<Cloud, 'front'>,
  method: 'GET' | 'POST',
  target: string,
  form: Readonly<Record<string, string>>,
): Promise<void> => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = Buffer.from(String(new URLSearchParams(form)));
  const { status } = await front({ method, target, headers, body });
  if (status !== 200) throw new Error(`${method} ${target}: expected the status 200, found ${status}.`);
};
