// https://register.apple.com/resources/messages/msp-rest-api/type-text
// Apple sends no time of a message. The person is an opaque urn:mbid, which differs for each business.

import * as z from 'zod';
import { defined, entryOf, inflate, parsePayload } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const CAP = 5_000_000;
const Text = z.string().optional();
const Payload = z.looseObject({
  type: z.string(),
  id: Text,
  sourceId: Text,
  body: Text,
  locale: Text,
  intent: Text,
  group: Text,
  attachments: z.array(z.looseObject({ name: Text, mimeType: Text })).optional(),
  interactiveData: z
    .looseObject({
      bid: Text,
      data: z.looseObject({ replyMessage: z.looseObject({ title: Text }).optional() }).optional(),
    })
    .optional(),
});

/** The words of a message; U+FFFC holds the place of each attachment. */
const textOf = ({ body, interactiveData }: z.infer<typeof Payload>): string | undefined =>
  body?.replaceAll('\uFFFC', '').trim() ?? interactiveData?.data?.replyMessage?.title;

const kinds: Readonly<Record<string, 'message' | 'postback' | 'opt-out'>> = {
  text: 'message',
  interactive: 'postback',
  close: 'opt-out',
};

const decode = ({ headers, body }: Delivery): Drafts => {
  const text = headers['content-encoding']?.includes('gzip') === true ? inflate(body, CAP) : body;
  const payload = Payload.parse(parsePayload(text));
  const id = headers['id'] ?? payload.id;
  const source = headers['source-id'] ?? payload.sourceId;
  const kind = entryOf(kinds, payload.type);
  if (kind === undefined || id === undefined) return { interactions: [], ignored: [payload.type] };
  const attachments = (payload.attachments ?? []).map(
    ({ name, mimeType }): NonNullable<DecodedInteraction['attachments']>[number] =>
      defined({ name, contentType: mimeType }),
  );
  return {
    ignored: [],
    interactions: [
      {
        key: id,
        kind,
        channel: 'apple',
        direction: 'inbound',
        identifiers: source?.startsWith('urn:mbid:') ? [`apple:${source}`] : [],
        externalId: id,
        ...defined({ text: textOf(payload) }),
        ...(attachments.length > 0 && { attachments }),
        properties: defined({ locale: payload.locale, intent: payload.intent, group: payload.group }),
      },
    ],
  };
};

export const apple = channelMapping({
  id: 'apple',
  channels: ['apple'],
  kinds: ['message', 'postback', 'opt-out'],
  vouching: [platformUser('source-id', 'apple')],
  decode,
});
