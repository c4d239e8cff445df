import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { addressTypesOf, OWN_PAGES } from '../../../core/consent/consent.ts';
import { answerTime, maskAddress } from '../../../core/consent/preferences.ts';
import {
  preferencesToken,
  readUnsubscribeToken,
  type UnsubscribeLink,
} from '../../../core/consent/signed-link.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { type Identifier, identifierType } from '../../../core/identity/identifier.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import type { History } from '../../contracts/ports/history.ts';
import { spoken } from './html.ts';
import { brokenPage, gonePage } from './preferences-view.ts';
import { askPage, donePage, type UnsubscribeView } from './unsubscribe-view.ts';

export interface UnsubscribePorts {
  readonly history: History;
  readonly hub: () => Promise<HubConfig>;
  readonly enqueue: (message: InteractionMessage) => Promise<void>;
  readonly signingKeys: () => Promise<readonly string[]>;
  readonly now: () => number;
}

/** How long the link to the other choices is good: nobody keeps this page. */
const CHOOSING_SECONDS = 3600;

/**
 * One-click unsubscribe (RFC 8058): whoever opens the link is shown a button, because readers and scanners of mail open
 * links too; a POST ends marketing on that channel. The link itself is the proof, so no API key is asked for.
 */
export const unsubscribe =
  (ports: UnsubscribePorts) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const hub = spoken((await ports.hub()).name);
    const keys = await ports.signingKeys();
    const claim = readUnsubscribeToken(event.pathParameters?.['token'] ?? '', keys);
    if (claim === undefined) return brokenPage(hub);
    const { profileId, channel } = claim;
    const customer = await ports.history.customer(profileId);
    if (customer === undefined) return gonePage(hub);
    const address = addressOf(customer, claim);
    const until = Math.floor(ports.now() / 1000) + CHOOSING_SECONDS;
    const view: UnsubscribeView = {
      ...{ hub, channel, masked: address && maskAddress(address) },
      preferences: `../preferences/${preferencesToken({ profileId, until }, keys)}`,
    };
    if (event.requestContext.http.method !== 'POST') return askPage(view);
    // A person without an address on this channel gets nothing there anyway.
    if (address !== undefined) await optOut(ports, customer, claim, address);
    return donePage(view);
  };

/** The address on that channel, of the half that the message was sent to before others. */
const addressOf = (customer: Customer, { profileId, channel }: UnsubscribeLink): Identifier | undefined => {
  const own =
    customer.sourceProfiles.find(({ profile }) => profile.id === profileId)?.profile.identifiers ?? [];
  const types = addressTypesOf(channel);
  return [...own, ...customer.identifiers].find((one) => types.includes(identifierType(one)));
};

/** Said always, also where it seems to hold already: no answer of before may stand against it. Clicked twice it is said once. */
const optOut = async (
  { enqueue, now }: UnsubscribePorts,
  { consent }: Customer,
  { profileId, channel }: UnsubscribeLink,
  address: Identifier,
): Promise<void> => {
  const at = instant(now());
  await enqueue({
    type: 'interaction',
    receivedAt: at,
    interaction: {
      ...{ provider: OWN_PAGES, kind: 'opt-out', channel, direction: 'inbound' },
      occurredAt: answerTime(consent[channel]?.at, at),
      ...{ identifiers: [address], properties: { scope: 'marketing', page: 'unsubscribe' } },
      key: `unsubscribe:${profileId}:${channel}:${consent[channel]?.source ?? ''}`,
    },
  });
};
