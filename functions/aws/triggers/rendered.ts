import type { HubConfig } from '../../../core/config/hub-config.ts';
import { claimedName } from '../../../core/identity/proof/guests.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { type Links, type Rendered, renderTemplate, variablesFor } from '../../../core/triggers/template.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import type { TriggerVersion } from './triggers.ts';

/** What a message is made of. */
export interface MessageSource {
  readonly version: TriggerVersion;
  readonly customer: Parameters<typeof variablesFor>[1];
  readonly cause: StoredInteraction;
  readonly hub: Pick<HubConfig, 'language'>;
}

/** The message of a notification for its channel. Throws `HubError` `template-failure`. */
export const renderedWith = (
  links: Links,
  {
    template = '',
    file,
    channel = 'email',
    approved,
    causeOnly,
  }: Pick<Notification, 'template' | 'file' | 'channel' | 'approved' | 'causeOnly'>,
  source: MessageSource,
): Rendered => {
  const { version, cause, hub } = source;
  const visible = recipientOf(source, causeOnly);
  const variables = variablesFor(version.trigger, visible, cause, links);
  return renderTemplate(template, version.templates[template] ?? {}, channel, variables, approved === true, {
    ...{ file, customer: visible.language, hub: hub.language },
  });
};

/** The customer as the template of a notification sees them. */
export const recipientOf = (
  { customer, cause }: Pick<MessageSource, 'customer' | 'cause'>,
  causeOnly: Notification['causeOnly'],
): MessageSource['customer'] => (causeOnly ? causeAsCustomer(cause) : customer);

/** The customer as a template sees it if the address may belong to somebody else: the data of the interaction alone. */
const causeAsCustomer = ({ profile = {} }: StoredInteraction): MessageSource['customer'] => ({
  ...{ id: '', tags: [], traits: {}, preferences: {}, stage: undefined },
  ...{ name: claimedName(profile.name), language: profile.language, timeZone: profile.timeZone },
});

/** The customer as a template sees it, from what was recorded with an interaction. */
export const recordedCustomer = ({ customer }: StoredInteraction): MessageSource['customer'] => ({
  ...{ id: customer.id, tags: customer.tags, traits: customer.traits, preferences: customer.preferences },
  ...{ name: customer.name, language: customer.language, timeZone: customer.timeZone, stage: customer.stage },
});

/** Links without tokens, which give access to the preferences of an address. */
export const hiddenLinks: Links = { unsubscribe: '…', preferences: '…', confirm: '…' };
