import type { SQSRecord } from 'aws-lambda';
import { HubError } from '../../../core/errors.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { Unreadable } from '../../../core/webhooks/channel.ts';
import { crmChanged } from '../../contracts/events/build.ts';
import { log } from '../../contracts/log.ts';
import type { DeliveryMessage, EventMessage } from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import { bodyOf } from '../content/files.ts';
import { storeAttachments } from './attachments.ts';
import { decode, type ProviderInteraction } from './decode.ts';
import { delayableWork } from './interaction.ts';
import type { MessagePorts, ReadResult } from './ports.ts';

/** The interactions of an authentic delivery. One that cannot be decoded is stored as a failure: retries cannot help. */
export const readDelivery = async (
  ports: MessagePorts,
  delivery: DeliveryMessage,
  received: SQSRecord,
): Promise<ReadResult> => {
  const failureOf = (member: string): DeliveryMessage => ({ ...delivery, member });
  return readBody(ports, delivery, await bodyOf(ports.files, delivery), received, failureOf);
};

/** An event of a partner's EventBridge bus, authenticated by EventBridge, decoded as a delivery with the method `EVENT`. */
export const readEvent = async (
  ports: MessagePorts,
  message: EventMessage,
  received: SQSRecord,
): Promise<ReadResult> => {
  const { provider, account, event, member } = message;
  const delivery: DeliveryMessage = {
    ...{ type: 'delivery', id: event.id, provider, receivedAt: event.time },
    ...(account !== undefined && { account }),
    ...(member !== undefined && { member }),
    request: { method: 'EVENT', url: '', headers: {} },
  };
  const failureOf = (one: string): EventMessage => ({ ...message, member: one });
  return readBody(ports, delivery, Buffer.from(JSON.stringify(event)), received, failureOf);
};

/** If more members of one batch cannot be decoded, the whole batch is one failure: its payload is stored with each. */
const MOST_MEMBER_FAILURES = 25;

const readBody = async (
  ports: MessagePorts,
  delivery: DeliveryMessage,
  body: Uint8Array,
  received: SQSRecord,
  failureOf: (member: string) => DeliveryMessage | EventMessage,
): Promise<ReadResult> => {
  const { provider, receivedAt } = delivery;
  // If one interaction of a replayed delivery fails on its own, it is a new failure and not the replayed one again.
  const alone = { ...received, messageAttributes: {} };
  try {
    const { interactions, ignored, unreadable } = await decode(ports.mapping(provider), delivery, body);
    if (unreadable.length > MOST_MEMBER_FAILURES || delivery.member !== undefined) {
      const [first] = unreadable;
      if (first) await ports.saveFailure(received, unreadableMember(provider, first, unreadable.length - 1));
    } else
      for (const one of unreadable) {
        const message = { ...alone, body: JSON.stringify(failureOf(one.member)) };
        await ports.saveFailure(message, unreadableMember(provider, one));
      }
    if (unreadable.length > 0)
      log('warn', 'unreadable-member', { provider, delivery: delivery.id, count: unreadable.length });
    const { stored, events, own } = splitChanges(await ports.identity(), interactions, delivery);
    const left = [...ignored, ...own];
    if (left.length > 0)
      log('info', 'ignored-events', { provider, types: left.join(','), count: left.length });
    const works = stored.map(async (decoded): Promise<Work[]> => {
      const interaction = await storeAttachments(ports, decoded);
      const { fetch } = interaction;
      if (fetch === undefined || !(await ports.contents.isAvailable(interaction, fetch.url)))
        return [await delayableWork(ports, { type: 'interaction', receivedAt, interaction }, alone)];
      await ports.enqueue({ type: 'content', receivedAt, interaction });
      return [];
    });
    return { works: (await Promise.all(works)).flat(), events };
  } catch (error) {
    if (!(error instanceof HubError) || error.retry !== 'never') throw error;
    log('warn', error.code, { provider, delivery: delivery.id }, error);
    await ports.saveFailure(received, error);
    return { works: [], events: [] };
  }
};

/**
 * Takes the changes of contacts in a CRM that is switched on out of the interactions: they are published, and the sync of the
 * CRM decides what they mean. What somebody said stays an interaction besides, and so does a deletion for privacy, which
 * opens a review. What the hub itself
 * wrote to a CRM that is off by now is ignored.
 */
const splitChanges = (
  { references }: IdentityConfig,
  interactions: readonly ProviderInteraction[],
  { provider, receivedAt }: Pick<DeliveryMessage, 'provider' | 'receivedAt'>,
) => {
  if (!references.has(provider))
    return {
      stored: interactions.filter(({ change }) => change?.own !== true),
      events: [],
      own: interactions.flatMap(({ change }) => (change?.own === true ? ['own-change'] : [])),
    };
  return {
    stored: interactions.filter(
      ({ change, kind }) =>
        change === undefined || change.act === 'erased' || kind === 'message' || kind === 'echo',
    ),
    events: interactions.flatMap(({ change }) =>
      change === undefined ? [] : [crmChanged(provider, change, receivedAt)],
    ),
    own: [],
  };
};

const unreadableMember = (provider: string, { reason }: Unreadable, others = 0): HubError =>
  new HubError(
    'unreadable-member',
    `A member of a delivery of ${provider} is not what its mapping expects (${reason})${others === 0 ? '' : `, and ${others} more are not`}; the others are recorded. Fix the mapping of ${provider} in mappings/channels, then replay the failure.`,
    { retry: 'never' },
  );
