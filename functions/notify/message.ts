import type { HubConfig } from '../../core/config/hub-config.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import type { Links } from '../../core/triggers/template.ts';
import type { NotifyPorts, Work } from './ports.ts';

/** The sender's address if the template names none: on the domain of the hub's alarm address. */
export const defaultFrom = ({ alarms }: HubConfig): string =>
  `no-reply@${alarms.slice(alarms.lastIndexOf('@') + 1)}`;

/** A message to a team has no links. */
export const linksOf = async (
  ports: NotifyPorts,
  { addresses: [address] = [], channel = 'email', at }: Notification,
  { version: { trigger } }: Work,
): Promise<Links> => (trigger.send.to || address === undefined ? {} : ports.links(address, channel, at));

/** Links as the timeline and CRMs show them. The token is removed, because it gives access to the preferences of the address. */
export const withoutTokens = (links: Links): Links =>
  Object.fromEntries(
    Object.entries(links).map(([name, link]) => [name, `${link.slice(0, link.lastIndexOf('/') + 1)}…`]),
  );
