import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import {
  applyChoices,
  channelChoices,
  interactionOfChoice,
  isAddressOn,
  linkRequest,
  maskAddress,
  maskOtherAddress,
  type OwnedAddress,
  otherAddresses,
  PreferenceChoice,
} from '../../../core/consent/preferences.ts';
import { addressHandle } from '../../../core/consent/signed-link.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { Channel, instant } from '../../../core/interaction/interaction.ts';
import { bodyText } from '../routes/route.ts';
import { claimedPreferences } from './claimed-preferences.ts';
import { enqueueFromPage, linkPage, type OpenedLink, type PagePorts } from './link.ts';
import { unreadableFormPage } from './link-view.ts';
import { expiredPage, linkSentPage, type PreferencesView, preferencesPage } from './preferences-view.ts';

/** More than the form of every channel that there is. */
const MOST_BYTES = 4096;

/** Choices by channel and the preferred channel; or the address to which its link is to be sent. */
const Form = z.strictObject({
  choices: z.partialRecord(Channel, PreferenceChoice),
  preferred: z.union([Channel, z.literal('none')]).optional(),
  send: z.string().optional(),
});
type Form = z.infer<typeof Form>;

/** To which channels links are sent on request, because a message can be sent there at any time. */
const linkChannels: ReadonlySet<Channel> = new Set<Channel>(['email', 'sms']);

type Page = APIGatewayProxyStructuredResultV2;

/**
 * The page on which the owner of an address sees and changes what is sent there. It shows and changes that address alone;
 * another address of the same person gets a link of its own. A form sent again changes nothing.
 */
export const preferences = linkPage('preferences', async (opened, ports, event) => {
  const { site, isExpired, isPressed, addressee } = opened;
  if (!isPressed && isExpired) return expiredPage({ site, canSend: canSendTo(opened, opened) });
  const form = isPressed ? formOf(event) : { choices: {} };
  if (form === undefined) return unreadableFormPage(site);
  if (form.send !== undefined) return sendLink(opened, ports, form.send);
  if (isExpired) return expiredPage({ site, canSend: canSendTo(opened, opened) });
  if (addressee.owner === undefined) return claimedPreferences(opened, ports, form.choices);
  const owned = { ...addressee.owner, address: opened.address, mute: addressee.mute };
  return isPressed ? saveChoices(opened, ports, owned, form) : preferencesPage(viewOf(opened, owned));
});

/** Undefined where the page has not made the form. */
const formOf = (event: APIGatewayProxyEventV2): Form | undefined => {
  if ((event.body?.length ?? 0) > MOST_BYTES) return undefined;
  const { preferred, send, ...choices } = Object.fromEntries(new URLSearchParams(bodyText(event)));
  return Form.safeParse({ choices, preferred, send }).data;
};

const sendsOf = ({ config }: Pick<OpenedLink, 'config'>): ReadonlySet<string> =>
  new Set(Object.keys(config.senders));

const canSendTo = (
  { config, addressee: { owner } }: Pick<OpenedLink, 'config' | 'addressee'>,
  { address, channel }: { readonly address: Identifier; readonly channel: Channel },
): boolean =>
  linkChannels.has(channel) &&
  sendsOf({ config }).has(channel) &&
  isAddressOn(channel, address) &&
  owner?.customer.closed[address] === undefined;

const viewOf = (opened: OpenedLink, owned: OwnedAddress): PreferencesView => {
  const { site, channel, address, keys } = opened;
  const { numberEnding } = site.words;
  return {
    ...{ site, masked: maskAddress(address, numberEnding) },
    channels: channelChoices(owned, channel, sendsOf(opened)),
    reachable: Channel.options.filter(
      (one) =>
        sendsOf(opened).has(one) &&
        owned.customer.identifiers.some((identifier) => isAddressOn(one, identifier)),
    ),
    preferred: owned.customer.preferences.channel,
    others: otherAddresses(owned, sendsOf(opened)).map((other) => ({
      channel: other.channel,
      masked: maskOtherAddress(other.address, numberEnding),
      ...(canSendTo(opened, other) && { handle: addressHandle(other.address, keys) }),
    })),
  };
};

/** Queues what differs from what holds, and shows the page as it will be. */
const saveChoices = async (
  opened: OpenedLink,
  ports: PagePorts,
  owned: OwnedAddress,
  form: Form,
): Promise<Page> => {
  const at = instant(opened.now);
  const view = viewOf(opened, owned);
  const open = view.channels.flatMap(({ channel, closed }) => (closed === undefined ? [channel] : []));
  const answers = open.flatMap((channel) => {
    const choice = form.choices[channel];
    const interaction = choice && interactionOfChoice(owned, channel, choice, at);
    return choice && interaction ? [{ channel, choice, interaction }] : [];
  });
  for (const { interaction } of answers) await enqueueFromPage(opened, ports, interaction);
  const wanted = view.reachable.find((channel) => channel === form.preferred);
  const prefers = wanted !== view.preferred && (wanted !== undefined || form.preferred === 'none');
  if (prefers)
    await ports.enqueue({
      ...{ type: 'command', command: 'preference', customer: opened.address, at, by: 'customer' },
      ...(wanted && { channel: wanted }),
      id: `preferences:${owned.profile.id}:${form.preferred}:${owned.customer.preferences.at ?? ''}`,
    });
  const chosen = Object.fromEntries(answers.map(({ channel, choice }) => [channel, choice]));
  const { mute: _, ...answered } = applyChoices(owned, chosen, at);
  return preferencesPage({
    ...viewOf(opened, answers.length > 0 ? answered : owned),
    preferred: prefers ? wanted : view.preferred,
    outcome: answers.length > 0 || prefers ? 'saved' : 'unchanged',
  });
};

/** Asks for a message with the link of an address, to that address. `handle`: of the address, or `this`. */
const sendLink = async (opened: OpenedLink, ports: PagePorts, handle: string): Promise<Page> => {
  const { addressee, address, channel, site, keys } = opened;
  const { owner } = addressee;
  const others = owner ? otherAddresses({ ...owner, address }, sendsOf(opened)) : [];
  const found =
    handle === 'this'
      ? { address, channel }
      : others.find((other) => addressHandle(other.address, keys) === handle && !opened.isExpired);
  if (found === undefined || !canSendTo(opened, found)) return unreadableFormPage(site);
  await enqueueFromPage(opened, ports, linkRequest(found.address, found.channel, opened.now));
  const mask = found.address === address ? maskAddress : maskOtherAddress;
  const masked = mask(found.address, site.words.numberEnding);
  return linkSentPage({ site, channel: found.channel, masked });
};
