import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { OWN_PAGES } from '../../../core/consent/consent.ts';
import {
  applyChoices,
  channelChoices,
  interactionsOfChoice,
  PreferenceChoice,
} from '../../../core/consent/preferences.ts';
import { readPreferencesToken } from '../../../core/consent/signed-link.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { Channel, instant } from '../../../core/interaction/interaction.ts';
import type { CommandMessage, InteractionMessage } from '../../contracts/messages/record.ts';
import type { History } from '../../contracts/ports/history.ts';
import { bodyText } from '../routes/route.ts';
import { spoken } from './html.ts';
import {
  brokenPage,
  expiredPage,
  gonePage,
  preferencesPage,
  unreadableFormPage,
} from './preferences-view.ts';

export interface PreferencesPorts {
  readonly history: History;
  readonly hub: () => Promise<HubConfig>;
  readonly enqueue: (message: InteractionMessage | CommandMessage) => Promise<void>;
  readonly signingKeys: () => Promise<readonly string[]>;
  readonly now: () => number;
}

/** More than the form of every channel that there is. */
const MOST_BYTES = 4096;

const Form = z.strictObject({
  choices: z.partialRecord(Channel, PreferenceChoice),
  preferred: z.union([Channel, z.literal('none')]).optional(),
});
type Form = z.infer<typeof Form>;

/**
 * The page on which a customer sees and changes what they are sent. The link is the proof of who asks, so there is no
 * login, no cookie and nothing that another site could send on their behalf. A form sent again changes nothing.
 */
export const preferences =
  (ports: PreferencesPorts) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const config = await ports.hub();
    const hub = spoken(config.name);
    const claim = readPreferencesToken(event.pathParameters?.['token'] ?? '', await ports.signingKeys());
    if (claim === undefined) return brokenPage(hub);
    if (claim.until * 1000 <= ports.now()) return expiredPage(hub);
    const customer = await ports.history.customer(claim.profileId);
    if (customer === undefined) return gonePage(hub);
    const sends = new Set(Object.keys(config.senders));
    const preferred = customer.preferences.channel;
    if (event.requestContext.http.method !== 'POST')
      return preferencesPage({ hub, channels: channelChoices(customer, sends), preferred });
    const form = formOf(event);
    if (form === undefined) return unreadableFormPage(hub);
    return saved(ports, customer, sends, form, hub);
  };

/** Undefined where the page has not made the form. */
const formOf = (event: APIGatewayProxyEventV2): Form | undefined => {
  if ((event.body?.length ?? 0) > MOST_BYTES) return undefined;
  const { preferred, ...choices } = Object.fromEntries(new URLSearchParams(bodyText(event)));
  return Form.safeParse({ choices, preferred }).data;
};

/** Queues what differs from what holds, and shows the page as it will be. */
const saved = async (
  ports: PreferencesPorts,
  customer: Customer,
  sends: ReadonlySet<string>,
  form: Form,
  hub: string,
): Promise<APIGatewayProxyStructuredResultV2> => {
  const at = instant(ports.now());
  const open = channelChoices(customer, sends).flatMap(({ channel, open }) => (open ? [channel] : []));
  const chosen = Object.fromEntries(open.map((channel) => [channel, form.choices[channel]]));
  const messages: (InteractionMessage | CommandMessage)[] = open.flatMap((channel) => {
    const choice = form.choices[channel];
    const acts = choice === undefined ? [] : interactionsOfChoice(customer, channel, choice, at);
    return acts.map(
      (act): InteractionMessage => ({
        type: 'interaction',
        receivedAt: at,
        interaction: { ...act, provider: OWN_PAGES },
      }),
    );
  });
  const wanted = open.find((channel) => channel === form.preferred);
  const present = customer.preferences.channel;
  const [speaker] = customer.identifiers;
  const prefers =
    wanted !== present && (wanted !== undefined || form.preferred === 'none') && speaker !== undefined;
  if (prefers)
    messages.push({
      ...{ type: 'command', command: 'preference', customer: speaker, at, by: 'customer' },
      ...(wanted && { channel: wanted }),
      id: `preferences:${customer.id}:${form.preferred}:${customer.preferences.at ?? ''}`,
    });
  for (const message of messages) await ports.enqueue(message);
  return preferencesPage({
    hub,
    channels: channelChoices(applyChoices(customer, chosen), sends),
    preferred: prefers ? wanted : present,
    outcome: messages.length > 0 ? 'saved' : 'unchanged',
  });
};
