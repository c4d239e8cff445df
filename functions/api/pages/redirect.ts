import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { instant } from '../../../core/interaction/interaction.ts';
import { type ClickLink, isClick, readClick } from '../../../core/triggers/message/click-link.ts';
import { type Notification, notificationId } from '../../../core/triggers/notification.ts';
import type { Notifications } from '../../aws/triggers/notifications.ts';
import { log } from '../../contracts/log.ts';
import type { PagePorts } from './link.ts';
import { brokenPage } from './link-view.ts';
import { siteFor } from './site.ts';

export interface RedirectPorts extends Pick<PagePorts, 'hub' | 'enqueue' | 'signingKeys' | 'now'> {
  readonly notifications: Pick<Notifications, 'get'>;
}

/**
 * Leads from a tracked link of a message to its address, and records the click. Only what the hub has signed is followed. A
 * click that cannot be recorded holds nobody up.
 */
export const redirect =
  (ports: RedirectPorts) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const link = readClick(event.pathParameters?.['token'] ?? '', await ports.signingKeys());
    if (link === undefined)
      return brokenPage(siteFor(await ports.hub(), undefined, event.headers['accept-language']));
    if (isClick(event.requestContext.http.method, event.headers))
      await recordClick(ports, link, event).catch((error: unknown) =>
        log('error', 'unrecorded-click', { trigger: link.trigger }, error),
      );
    return {
      statusCode: 302,
      headers: {
        // A header takes ASCII alone.
        location: /^[\x21-\x7e]+$/u.test(link.url) ? link.url : new URL(link.url).href,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex, nofollow',
      },
    };
  };

/** A message that was erased, or whose row has expired, has no clicks. */
const recordClick = async (
  { notifications, enqueue, now }: RedirectPorts,
  { url, provider, ...message }: ClickLink,
  { requestContext: { requestId } }: APIGatewayProxyEventV2,
): Promise<void> => {
  const sent = await notifications.get(message);
  const [address, externalId] = Object.entries(sent?.externalIds ?? {})[0] ?? [];
  if (sent === undefined || address === undefined || externalId === undefined) return;
  const at = instant(now());
  await enqueue({
    type: 'interaction',
    receivedAt: at,
    causedBy: sent.profileId,
    interaction: {
      ...{ key: `click:${notificationId(sent)}:${requestId}`, provider, kind: 'click', direction: 'inbound' },
      ...{ channel: sent.channel ?? 'email', occurredAt: at, identifiers: [address], refersTo: externalId },
      properties: { url, ...messageProperties(sent) },
    },
  });
};

const messageProperties = (sent: Notification) => ({
  ...{ trigger: sent.trigger, version: sent.triggerVersion, notification: notificationId(sent) },
  ...(sent.template !== undefined && { template: sent.template }),
  ...(sent.step !== undefined && { step: sent.step }),
});
