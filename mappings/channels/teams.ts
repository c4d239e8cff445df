// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
// Ids of activities count per conversation. The 29:… id is the person's for this bot; aadObjectId is the person's in the
// tenant. 28:… are bots, and 19:… are teams and channels, which are no customers. Every text has mentions as `<at>name</at>`;
// a text of the format `xml` has markup and entities too, a `plain` one is as it was typed.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import { JsonObject } from '../../core/formats/json.ts';
import { defined, memberOf, parsePayload, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { wordsOf } from '../../core/webhooks/original-text.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const Text = z.string().optional();
const Account = z.looseObject({ id: z.string(), name: Text, aadObjectId: Text });
const Named = z.looseObject({ type: z.string() });
const Activity = z.looseObject({
  type: z.string(),
  id: Text,
  timestamp: Text,
  text: Text.nullable(),
  textFormat: Text,
  locale: Text,
  name: Text,
  action: Text,
  from: Account.optional(),
  conversation: z.looseObject({ id: z.string(), tenantId: Text }).optional(),
  replyToId: Text,
  value: z.unknown().optional(),
  attachments: z
    .array(
      z.looseObject({ contentType: Text, contentUrl: Text, name: Text, content: z.unknown().optional() }),
    )
    .optional(),
  reactionsAdded: z.array(z.looseObject({ type: z.string() })).optional(),
  reactionsRemoved: z.array(z.looseObject({ type: z.string() })).optional(),
  recipient: Account.optional(),
  entities: z
    .array(
      z.looseObject({
        type: Text,
        timezone: Text,
        text: Text,
        mentioned: z.looseObject({ id: Text }).optional(),
      }),
    )
    .optional(),
});
type Activity = z.infer<typeof Activity>;

/** A file that a person sends: `downloadUrl` works without credentials for some minutes. */
const FILE = 'application/vnd.microsoft.teams.file.download.info';
const Download = z.looseObject({ downloadUrl: z.string() });

/** The answers of a form in a dialog. */
const Fields = JsonObject;

const filesOf = ({ attachments = [] }: Activity): NonNullable<DecodedInteraction['attachments']> =>
  attachments
    .filter(({ contentUrl }) => contentUrl !== undefined)
    .map(({ contentType, contentUrl, name, content }) => {
      const file = contentType === FILE ? Download.safeParse(content).data?.downloadUrl : undefined;
      return file === undefined
        ? defined({ contentType, url: contentUrl, name })
        : defined({ url: file, name, keep: true as const });
    });

/** A text without the mention of the bot, which only addresses it; of other mentions the name stays. */
const withoutMentions = (text: string, { entities = [], recipient }: Activity): string =>
  entities
    .filter(({ type }) => type === 'mention')
    .reduce((rest, { text: mention, mentioned }) => {
      if (!mention) return rest;
      const isBot = mentioned?.id !== undefined && mentioned.id === recipient?.id;
      return rest.replaceAll(mention, isBot ? '' : mention.replace(/<\/?at[^<>]*>/giu, ''));
    }, text);

const textOf = (text: string, activity: Activity): string => {
  const rest = withoutMentions(text, activity);
  return (activity.textFormat === 'xml' ? textOfHtml(rest) : rest).replace(/(\S) {2,}(?=\S)/gu, '$1 ').trim();
};

/** Some clients send what was pasted with its format as HTML beside an absent text. */
const htmlOf = ({ attachments = [] }: Activity): string | undefined => {
  const content = attachments.find(({ contentType }) => contentType === 'text/html')?.content;
  return typeof content === 'string' ? content : undefined;
};

const actOf = (activity: Activity): Partial<DecodedInteraction> | undefined => {
  const { type, id, text, replyToId, value } = activity;
  const attachments = filesOf(activity);
  const said = {
    ...wordsOf(text ?? htmlOf(activity), (words) =>
      textOf(words, text ? activity : { ...activity, textFormat: 'xml' }),
    ),
    ...defined({ externalId: id }),
  };
  if (type === 'message')
    return value !== undefined && value !== null && !text
      ? {
          kind: 'postback',
          ...said,
          ...defined({ refersTo: replyToId }),
          properties: { ...said.properties, payload: JSON.stringify(value) },
        }
      : {
          kind: 'message',
          ...said,
          ...defined({ refersTo: replyToId }),
          ...(attachments.length > 0 && { attachments }),
        };
  if (type === 'messageUpdate') return { kind: 'edit', ...said, ...defined({ refersTo: id }) };
  if (type === 'messageDelete') return { kind: 'delete', ...defined({ externalId: id, refersTo: id }) };
  if (type === 'messageReaction') {
    const added = activity.reactionsAdded ?? [];
    const [reaction] = [...added, ...(activity.reactionsRemoved ?? [])];
    return {
      kind: 'reaction',
      ...defined({ text: reaction?.type, refersTo: replyToId }),
      properties: { removed: added.length === 0 },
    };
  }
  if (type === 'invoke' && activity.name === 'adaptiveCard/action')
    return {
      kind: 'postback',
      ...defined({ externalId: id, refersTo: replyToId }),
      properties: { payload: JSON.stringify(value ?? null) },
    };
  if (type === 'invoke' && activity.name === 'task/submit') {
    const fields = Fields.safeParse(memberOf(value, 'data'));
    return {
      kind: 'form',
      ...defined({ externalId: id, refersTo: replyToId }),
      properties: { fields: fields.data ?? {} },
    };
  }
  if (type === 'installationUpdate')
    return activity.action === 'remove'
      ? { kind: 'opt-out' }
      : activity.action === 'add'
        ? { kind: 'opt-in' }
        : undefined;
  return undefined;
};

const mapped: ReadonlySet<string> = new Set([
  'message',
  'messageUpdate',
  'messageDelete',
  'messageReaction',
  'invoke',
  'installationUpdate',
]);

const decode = ({ body }: Delivery): Drafts => {
  const json = parsePayload(body);
  const named = Named.parse(json);
  // Activities of other types have other members.
  if (!mapped.has(named.type)) return { interactions: [], ignored: [named.type] };
  const activity = Activity.parse(json);
  const { type, id, from, conversation, timestamp, locale, entities = [] } = activity;
  const act = actOf(activity);
  const isPerson = from !== undefined && !from.id.startsWith('28:') && !from.id.startsWith('19:');
  if (act === undefined || id === undefined || conversation === undefined || !isPerson)
    return { interactions: [], ignored: [activity.name === undefined ? type : `${type}.${activity.name}`] };
  const timeZone = entities.find(({ timezone }) => timezone !== undefined)?.timezone;
  const change = act.kind === 'edit' ? `:${timestamp}` : act.kind === 'delete' ? ':delete' : '';
  return {
    ignored: [],
    interactions: [
      {
        key: `${conversation.id}:${id}${change}`,
        kind: 'unknown',
        channel: 'teams',
        direction: 'inbound',
        identifiers: [`teams:${from.id}`, ...(from.aadObjectId ? [`aad:${from.aadObjectId}`] : [])],
        conversationId: conversation.id,
        ...defined({ occurredAt: readTime(timestamp) }),
        profile: {
          ...(from.name && { name: { full: from.name } }),
          ...defined({ language: locale, timeZone }),
        },
        ...act,
      },
    ],
  };
};

export const teams = channelMapping({
  id: 'teams',
  channels: ['teams'],
  kinds: ['message', 'edit', 'delete', 'reaction', 'postback', 'form', 'opt-in', 'opt-out'],
  vouching: [platformUser('from.id', 'teams'), platformUser('from.aadObjectId', 'aad')],
  decode,
});
