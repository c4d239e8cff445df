// https://developers.tiktok.com/doc/webhooks-overview
// `content` is JSON in a string. In direct messages user_openid is the business; the person is the side that is not a
// business account.

import * as z from 'zod';
import { JsonObject } from '../../core/formats/json.ts';
import { defined, instantOf, parsePayload } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const Text = z.string().optional();
const Party = z.looseObject({ id: VendorId, role: Text });
const Message = z.looseObject({
  from: Text,
  to: Text,
  from_user: Party.optional(),
  to_user: Party.optional(),
  conversation_id: Text,
  message_id: Text,
  timestamp: z.union([z.number(), z.string()]).optional(),
  type: Text,
  text: z.looseObject({ body: Text }).optional(),
  image: z.looseObject({ media_id: Text }).optional(),
  video: z.looseObject({ media_id: Text }).optional(),
  share_post: z.looseObject({ embed_url: Text }).optional(),
  referral: JsonObject.optional(),
});
const Read = z.looseObject({ last_read_timestamp: z.union([z.number(), z.string()]).optional() });
const Envelope = z.looseObject({
  event: z.string(),
  create_time: z.union([z.number(), z.string()]).optional(),
  user_openid: Text,
  content: z.union([z.string(), z.looseObject({})]).optional(),
});

const messages: ReadonlySet<string> = new Set([
  'im_receive_msg',
  'im_send_msg',
  'im_mark_read_msg',
  'im_referral_msg',
]);

const one = (event: string, interaction: DecodedInteraction | undefined): Drafts =>
  interaction === undefined
    ? { interactions: [], ignored: [event] }
    : { interactions: [interaction], ignored: [] };

const personOf = ({ from_user, to_user }: z.infer<typeof Message>): string | undefined =>
  [from_user, to_user].find((party) => party !== undefined && party.role !== 'business_account')?.id;

const messaging = (
  event: string,
  content: unknown,
  createdAt: string | undefined,
): DecodedInteraction | undefined => {
  const message = Message.parse(content);
  const { message_id, conversation_id, timestamp, type, text, image, video } = message;
  const person = personOf(message);
  const base = {
    channel: 'tiktok' as const,
    identifiers: person === undefined ? [] : [`tiktok:${person}`],
    ...defined({ conversationId: conversation_id, occurredAt: instantOf(timestamp) ?? createdAt }),
  };
  if (event === 'im_mark_read_msg') {
    const { last_read_timestamp } = Read.parse(content);
    const watermark = instantOf(last_read_timestamp);
    return {
      ...base,
      key: `read:${conversation_id ?? person}:${last_read_timestamp ?? timestamp}`,
      kind: 'read',
      direction: 'inbound',
      ...(watermark !== undefined && { properties: { watermark } }),
    };
  }
  if (event === 'im_referral_msg')
    return {
      ...base,
      key: `referral:${conversation_id ?? person}:${timestamp}`,
      kind: 'referral',
      direction: 'inbound',
      properties: defined({ referral: message.referral }),
    };
  if (message_id === undefined || (event !== 'im_receive_msg' && event !== 'im_send_msg')) return undefined;
  const externalId = image?.media_id ?? video?.media_id;
  const url = message.share_post?.embed_url;
  return {
    ...base,
    key: message_id,
    externalId: message_id,
    kind: event === 'im_receive_msg' ? 'message' : 'echo',
    direction: event === 'im_receive_msg' ? 'inbound' : 'outbound',
    ...defined({ text: text?.body }),
    ...((externalId ?? url) !== undefined && {
      attachments: [defined({ externalId, url, name: type ?? 'media' })],
    }),
  };
};

const decode = ({ body }: Delivery): Drafts => {
  const { event, create_time, user_openid, content = {} } = Envelope.parse(parsePayload(body));
  const createdAt = instantOf(create_time);
  if (messages.has(event))
    return one(
      event,
      messaging(event, typeof content === 'string' ? parsePayload(Buffer.from(content)) : content, createdAt),
    );
  if (event !== 'authorization.removed' || user_openid === undefined) return one(event, undefined);
  return one(event, {
    key: `${event}:${user_openid}:${create_time}`,
    kind: 'opt-out',
    channel: 'tiktok',
    direction: 'inbound',
    identifiers: [`tiktok:${user_openid}`],
    ...defined({ occurredAt: createdAt }),
    properties: { scope: 'app-authorization' },
  });
};

export const tiktok = channelMapping({
  id: 'tiktok',
  channels: ['tiktok'],
  kinds: ['message', 'echo', 'read', 'referral', 'opt-out'],
  vouching: [platformUser('from_user.id, to_user.id, user_openid', 'tiktok')],
  decode,
});
