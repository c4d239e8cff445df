import { refusesSender } from '../../../core/formats/mail/bounce.ts';
import { parseMailboxes } from '../../../core/formats/mail/mailboxes.ts';
import { defined, readTime } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Delivery } from '../../../core/webhooks/channel.ts';
import type { Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { decodeMembers, type Member, membersOf } from '../../../core/webhooks/members.ts';
import type { SnsNotification } from '../../../core/webhooks/sns.ts';
import { type Message, Recipient } from './message.ts';

type Properties = Readonly<Record<string, string | number | null | undefined>>;
type Act = readonly [DecodedInteraction['direction'], DecodedInteraction['kind']];

const email = (address: string): string[] =>
  parseMailboxes(address)
    .slice(0, 1)
    .map((one) => `email:${one.address}`);

/** One interaction for each person that a report names; one without a customer if it names none. */
const reports = (
  { mail }: Message,
  { id, publishedAt, member }: Source,
  act: Act | ((recipient: Recipient) => Act),
  people: readonly Member[],
  at: string | null | undefined,
  properties: Properties | ((recipient: Recipient) => Properties),
): Drafts =>
  decodeMembers({ member }, people.length === 0 ? NOBODY : people, (value) => {
    const recipient = Recipient.parse(value);
    const address = recipient.emailAddress;
    const [direction, kind] = typeof act === 'function' ? act(recipient) : act;
    const details = typeof properties === 'function' ? properties(recipient) : properties;
    const interaction: DecodedInteraction = defined({
      key: `${id}:${parseMailboxes(address)[0]?.address ?? address}${typeof details['scope'] === 'string' ? `:${details['scope']}` : ''}`,
      kind,
      channel: 'email' as const,
      direction,
      identifiers: email(address),
      externalId: mail?.messageId || undefined,
      refersTo: mail?.messageId || undefined,
      occurredAt: readTime(at ?? undefined) ?? publishedAt,
      properties: Object.fromEntries(
        Object.entries(details).flatMap(([name, one]) =>
          one === undefined || one === null || one === '' ? [] : [[name, one]],
        ),
      ),
    });
    return { interactions: [interaction] };
  });

const NOBODY: readonly Member[] = [{ path: 'nobody', value: '' }];

/** A notification, and the member of it that is replayed. */
type Source = SnsNotification & Pick<Delivery, 'member'>;

const outbound: Act = ['outbound', 'delivery-status'];

/** Not sent because the recipient unsubscribed: nothing is wrong with the address. */
const UNSUBSCRIBED = 'UnsubscribedRecipient';

const bounced: Handler = (message, notification) => {
  const { bounce } = message;
  const isPermanent = bounce?.bounceType === 'Permanent' && bounce.bounceSubType !== UNSUBSCRIBED;
  const isHard = ({ diagnosticCode, status }: Recipient): boolean =>
    isPermanent && !refusesSender(status, diagnosticCode);
  return reports(
    message,
    notification,
    (one) => (isHard(one) ? ['outbound', 'bounce'] : outbound),
    membersOf(bounce?.bouncedRecipients ?? [], 'bounce.bouncedRecipients'),
    bounce?.timestamp,
    (one) => ({
      status: isHard(one) ? 'bounced' : 'soft-bounced',
      type: bounce?.bounceType,
      subtype: bounce?.bounceSubType,
      reason: one.diagnosticCode,
      code: one.status,
    }),
  );
};

/** Mail services hide who complained; SES then lists all recipients at that service. */
const complained: Handler = (message, notification) => {
  const { complaint } = message;
  if (complaint?.complaintFeedbackType === 'not-spam') return undefined;
  const people = complaint?.complainedRecipients ?? [];
  return reports(
    message,
    notification,
    ['inbound', 'complaint'],
    membersOf(people, 'complaint.complainedRecipients'),
    complaint?.timestamp,
    {
      reason: complaint?.complaintFeedbackType,
      subtype: complaint?.complaintSubType,
      candidates: people.length > 1 ? people.length : undefined,
    },
  );
};

type Handler = (message: Message, notification: Source) => Drafts | undefined;

const everybody = ({ mail }: Message): readonly Member[] =>
  membersOf(mail?.destination ?? [], 'mail.destination');

/** The recipient, if there is only one. */
const onlyOne = (message: Message): ReturnType<typeof everybody> => {
  const all = everybody(message);
  return all.length === 1 ? all : [];
};

/** Unsubscribed from a whole list, or from single topics: the differences from before. */
const subscribed: Handler = (message, notification) => {
  const {
    contactList,
    timestamp,
    source,
    newTopicPreferences: now,
    oldTopicPreferences: before,
  } = message.subscription ?? {};
  const list = `list-${contactList ?? 'default'}`;
  const change = (leaves: boolean, scope: string) =>
    reports(message, notification, ['inbound', leaves ? 'opt-out' : 'opt-in'], onlyOne(message), timestamp, {
      scope,
      source,
    });
  if (now?.unsubscribeAll === true) return change(true, list);
  const old = new Map(before?.topicSubscriptionStatus?.map((one) => [one.topicName, one.subscriptionStatus]));
  const topics = (now?.topicSubscriptionStatus ?? []).filter(
    (one) => old.get(one.topicName) !== one.subscriptionStatus,
  );
  const changes = topics.map((one) =>
    change(one.subscriptionStatus === 'OptOut', `${list}:topic-${one.topicName}`),
  );
  if (changes.length === 0) return before?.unsubscribeAll === true ? change(false, list) : undefined;
  return {
    interactions: changes.flatMap(({ interactions }) => interactions),
    ignored: [],
    unreadable: changes.flatMap(({ unreadable = [] }) => unreadable),
  };
};

export const handlers: Readonly<Record<string, Handler>> = {
  Bounce: bounced,
  Complaint: complained,
  Subscription: subscribed,
  Send: (message, notification) =>
    reports(message, notification, outbound, everybody(message), message.mail?.timestamp, { status: 'sent' }),
  Reject: (message, notification) =>
    reports(message, notification, outbound, everybody(message), undefined, {
      status: 'rejected',
      reason: message.reject?.reason,
    }),
  'Rendering Failure': (message, notification) =>
    reports(message, notification, outbound, everybody(message), undefined, {
      status: 'failed',
      reason: message.failure?.errorMessage,
    }),
  Delivery: (message, notification) =>
    reports(
      message,
      notification,
      outbound,
      membersOf(message.delivery?.recipients ?? [], 'delivery.recipients'),
      message.delivery?.timestamp,
      { status: 'delivered', detail: message.delivery?.smtpResponse },
    ),
  DeliveryDelay: (message, notification) =>
    reports(
      message,
      notification,
      outbound,
      membersOf(message.deliveryDelay?.delayedRecipients ?? [], 'deliveryDelay.delayedRecipients'),
      message.deliveryDelay?.timestamp,
      (one) => ({
        status: 'deferred',
        type: message.deliveryDelay?.delayType,
        reason: one.diagnosticCode,
      }),
    ),
  Open: (message, notification) =>
    reports(message, notification, ['inbound', 'open'], onlyOne(message), message.open?.timestamp, {}),
  Click: (message, notification) =>
    reports(message, notification, ['inbound', 'click'], onlyOne(message), message.click?.timestamp, {
      url: message.click?.link,
    }),
};
