import { createHmac, timingSafeEqual } from 'node:crypto';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { WebhookRequest } from '../../../core/webhooks/channel.ts';

/**
 * What somebody would write by hand for one type of message of one provider: it checks the signature, reads the members that it
 * needs, and checks nothing else. The ratio of a connector with its mapping to this is the price of schemas, batches,
 * exact numbers and of every other type of message.
 */
export interface HandWritten {
  readonly provider: string;
  /** The fixture that it understands. */
  readonly fixture: string;
  readonly read: (request: WebhookRequest, secret: string) => Omit<DecodedInteraction, 'claimed'> | undefined;
}

const isSigned = (
  algorithm: string,
  encoding: 'hex' | 'base64',
  { body, headers }: WebhookRequest,
  header: string,
  secret: string,
): boolean => {
  const expected = createHmac(algorithm, secret).update(body).digest();
  const given = Buffer.from(headers[header] ?? '', encoding);
  return given.length === expected.length && timingSafeEqual(given, expected);
};

interface LineBody {
  readonly events: readonly [
    {
      readonly webhookEventId: string;
      readonly timestamp: number;
      readonly source: { readonly userId: string };
      readonly message: { readonly id: string; readonly text: string };
    },
  ];
}

const line: HandWritten['read'] = (request, secret) => {
  if (!isSigned('sha256', 'base64', request, 'x-line-signature', secret)) return undefined;
  const {
    events: [event],
  }: LineBody = JSON.parse(Buffer.from(request.body).toString());
  return {
    key: event.webhookEventId,
    channel: 'line',
    direction: 'inbound',
    identifiers: [`line:${event.source.userId}`],
    occurredAt: new Date(event.timestamp).toISOString(),
    conversationId: event.source.userId,
    kind: 'message',
    externalId: event.message.id,
    text: event.message.text,
  };
};

interface SegmentCall {
  readonly messageId: string;
  readonly userId: string;
  readonly anonymousId: string;
  readonly timestamp: string;
  readonly event: string;
  readonly properties: Readonly<Record<string, number>>;
}

const segment: HandWritten['read'] = (request, secret) => {
  if (!isSigned('sha1', 'hex', request, 'x-signature', secret)) return undefined;
  const call: SegmentCall = JSON.parse(Buffer.from(request.body).toString());
  return {
    key: call.messageId,
    kind: 'behaviour',
    channel: 'web',
    direction: 'inbound',
    identifiers: [`user-id:${call.userId}`, `anonymous:${call.anonymousId}`],
    externalId: call.messageId,
    occurredAt: new Date(call.timestamp).toISOString(),
    properties: { ...call.properties, name: call.event },
  };
};

const twilio: HandWritten['read'] = ({ url, headers, body }, secret) => {
  const form = Object.fromEntries(new URLSearchParams(Buffer.from(body).toString()));
  const signed = Object.keys(form)
    .sort()
    .reduce((text, name) => `${text}${name}${form[name]}`, url);
  const expected = createHmac('sha1', secret).update(signed).digest();
  const given = Buffer.from(headers['x-twilio-signature'] ?? '', 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { MessageSid = '', From = '', Body = '' } = form;
  return {
    key: MessageSid,
    kind: 'message',
    channel: 'sms',
    direction: 'inbound',
    identifiers: [`phone:${From}`],
    externalId: MessageSid,
    text: Body,
  };
};

export const handWritten: readonly HandWritten[] = [
  { provider: 'line', fixture: 'line: message', read: line },
  { provider: 'twilio', fixture: 'twilio: Ada asks by SMS', read: twilio },
  { provider: 'segment', fixture: 'segment: track', read: segment },
];
