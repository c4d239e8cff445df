import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { maskAddress, type PreferenceChoice, pageAnswer } from '../../../core/consent/preferences.ts';
import { type Channel, instant } from '../../../core/interaction/interaction.ts';
import { enqueueFromPage, type OpenedLink, type PagePorts, presentAnswer } from './link.ts';
import { type ClaimedChoice, claimedPreferencesPage } from './preferences-view.ts';

/**
 * The preference page of an address that nobody owns. Its choices are claims: no offers mutes the address until somebody
 * owns it and answers; offers count as the hub's `optIn` says.
 */
export const claimedPreferences = async (
  opened: OpenedLink,
  ports: PagePorts,
  choices: Readonly<Partial<Record<Channel, PreferenceChoice>>>,
): Promise<APIGatewayProxyStructuredResultV2> => {
  const { address, channel, site, isPressed, now } = opened;
  const view = { site, channel, masked: maskAddress(address, site.words.numberEnding) };
  const present = choiceOf(opened);
  const choice = choices[channel];
  if (!isPressed || choice === undefined) return claimedPreferencesPage({ ...view, chosen: present });
  // A claim lifts no mute, so that the owner has to confirm then, too.
  const isSingle = opened.config.optIn === 'single' && present !== 'service';
  const wanted: ClaimedChoice = choice !== 'everything' ? 'service' : isSingle ? 'everything' : 'asked';
  // Asking again for offers sends the confirmation again, within the limits of its trigger.
  const isInForce = wanted === present && wanted !== 'asked';
  const known = presentAnswer(opened, channel);
  if (!isInForce)
    await enqueueFromPage(opened, ports, {
      ...pageAnswer(address, channel, known, instant(now)),
      key: `preferences:${address}:${channel}:${wanted}:${known?.source ?? ''}`,
      kind: wanted === 'service' ? 'opt-out' : 'opt-in',
      properties: { page: 'preferences', ...(wanted === 'service' && { scope: 'marketing' }) },
    });
  return claimedPreferencesPage({ ...view, chosen: wanted, outcome: isInForce ? 'unchanged' : 'saved' });
};

/** What claims have said about offers to the address; a mute holds, whatever was claimed since. */
const choiceOf = ({ addressee: { mute, optIn }, channel, config }: OpenedLink): ClaimedChoice | undefined => {
  if (mute !== undefined) return 'service';
  if (optIn?.channel !== channel) return undefined;
  return config.optIn === 'single' ? 'everything' : 'asked';
};
