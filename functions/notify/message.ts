import type { HubConfig } from '../../core/config/hub-config.ts';
import { withTrackedLinks } from '../../core/triggers/message/click-link.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import type { Links, Rendered } from '../../core/triggers/template.ts';
import { fileFor, mediumOf } from '../../core/triggers/template-files.ts';
import { recipientOf } from '../aws/triggers/rendered.ts';
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

/** A notification with the file of its template in the language of its recipient, and why that one, in its steps. */
export const withFile = (notification: Notification, work: Work): Notification => {
  const { template = '', channel = 'email', approved, causeOnly } = notification;
  const files = work.version.templates[template] ?? {};
  const languages = { customer: recipientOf(work, causeOnly).language, hub: work.hub.language };
  const chosen = fileFor(files, mediumOf(channel, approved), languages);
  if (chosen === undefined || chosen.name === notification.file) return notification;
  const result = `${template}/${chosen.name}: ${chosen.because}`;
  return {
    ...notification,
    file: chosen.name,
    steps: [...notification.steps, { step: 'template', result }],
  };
};

/** The HTML of an e-mail with its links tracked, where hub.yaml says so. The hub's own links, and those to a team, are not. */
export const tracked = async (
  ports: Pick<NotifyPorts, 'clickLinks'>,
  rendered: Rendered,
  links: Links,
  { profileId, trigger, interaction, step }: Notification,
  { provider, work: { hub, version } }: { readonly provider: string; readonly work: Work },
): Promise<Rendered> => {
  if (rendered.html === undefined || !hub.links.track || version.trigger.send.to) return rendered;
  const addressOf = await ports.clickLinks();
  const html = withTrackedLinks(rendered.html, new Set(Object.values(links)), (url) =>
    addressOf({ url, provider, profileId, trigger, interaction, ...(step !== undefined && { step }) }),
  );
  return { ...rendered, html };
};

/** Links as the timeline and CRMs show them. The token is removed, because it gives access to the preferences of the address. */
export const withoutTokens = (links: Links): Links =>
  Object.fromEntries(
    Object.entries(links).map(([name, link]) => [name, `${link.slice(0, link.lastIndexOf('/') + 1)}…`]),
  );
