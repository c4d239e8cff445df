import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { OWN_PAGES } from '../../../core/consent/consent.ts';
import { type PageInteraction, pageAnswer } from '../../../core/consent/preferences.ts';
import {
  type AddressLink,
  isExpired,
  type LinkPurpose,
  readLink,
} from '../../../core/consent/signed-link.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { CommandMessage, InteractionMessage } from '../../contracts/messages/record.ts';
import type { Addressee, Addressees, StoredAddressClaim } from '../../contracts/ports/addresses.ts';
import { brokenPage, gonePage } from './link-view.ts';
import { type Site, siteFor } from './site.ts';

export interface PagePorts {
  readonly addressees: Pick<Addressees, 'of'>;
  readonly hub: () => Promise<HubConfig>;
  readonly enqueue: (message: InteractionMessage | CommandMessage) => Promise<void>;
  readonly signingKeys: () => Promise<readonly string[]>;
  readonly now: () => number;
}

/** A genuine link that somebody has opened, and the present owner of its address. */
export interface OpenedLink extends AddressLink {
  readonly addressee: Addressee;
  readonly isExpired: boolean;
  /** Whether a button was pressed: mail readers and scanners open links too, so a GET changes nothing. */
  readonly isPressed: boolean;
  readonly config: HubConfig;
  readonly site: Site;
  readonly keys: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
}

type Page = APIGatewayProxyStructuredResultV2;

/**
 * A page behind the links of one purpose. The link is the proof of who asks, so there is no login, no cookie and nothing that
 * another site could send on somebody's behalf.
 */
export const linkPage =
  (
    purpose: LinkPurpose,
    show: (opened: OpenedLink, ports: PagePorts, event: APIGatewayProxyEventV2) => Promise<Page>,
  ) =>
  (ports: PagePorts) =>
  async (event: APIGatewayProxyEventV2): Promise<Page> => {
    const [config, keys] = await Promise.all([ports.hub(), ports.signingKeys()]);
    const accepted = event.headers['accept-language'];
    const link = readLink(purpose, event.pathParameters?.['token'] ?? '', keys);
    if (link === undefined) return brokenPage(siteFor(config, undefined, accepted));
    const addressee = await ports.addressees.of(link.address);
    if (addressee === undefined) return gonePage(siteFor(config, undefined, accepted));
    const now = ports.now();
    const opened = {
      ...{ ...link, addressee, config, keys, now },
      site: siteFor(config, addressee.owner?.customer.language, accepted),
      isExpired: isExpired(purpose, link, now),
      isPressed: event.requestContext.http.method === 'POST',
    };
    return show(opened, ports, event);
  };

/** The answer that is known already about the address: its owner's, else the newest claim. */
export const presentAnswer = (
  { addressee: { owner, mute, optIn } }: Pick<OpenedLink, 'addressee'>,
  channel: Channel,
): Pick<StoredAddressClaim, 'at' | 'source'> | undefined => {
  if (owner) return owner.profile.consent[channel];
  const [newest] = [mute, optIn]
    .filter((claim) => claim !== undefined && claim.channel === channel)
    .sort((one, other) => ((one?.at ?? '') < (other?.at ?? '') ? 1 : -1));
  return newest;
};

/** The parts of an answer by the button of a page. Pressed twice it has the same key, and is recorded once. */
export const answerByButton = (
  opened: OpenedLink,
  page: 'unsubscribe' | 'confirm',
): ReturnType<typeof pageAnswer> & Pick<PageInteraction, 'key'> => {
  const { address, channel, now } = opened;
  const present = presentAnswer(opened, channel);
  return {
    ...pageAnswer(address, channel, present, instant(now)),
    key: `${page}:${address}:${channel}:${present?.source ?? ''}`,
  };
};

/** Queues what a page writes. An address that nobody owns is claimed: a link in a message proves nothing by itself. */
export const enqueueFromPage = async (
  { addressee, now }: Pick<OpenedLink, 'addressee' | 'now'>,
  { enqueue }: Pick<PagePorts, 'enqueue'>,
  interaction: PageInteraction,
): Promise<void> => {
  const isProven = addressee.owner !== undefined || interaction.properties?.['page'] === 'confirm';
  await enqueue({
    type: 'interaction',
    receivedAt: instant(now),
    interaction: {
      ...interaction,
      provider: OWN_PAGES,
      ...(!isProven && { claimed: interaction.identifiers }),
    },
  });
};
