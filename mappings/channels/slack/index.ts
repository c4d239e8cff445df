// https://docs.slack.dev/reference/events
// A mention of the app arrives twice, as app_mention and as message, with two event ids: both have the same channel and ts.
// User ids count per workspace, so a person is team:user. Texts have `&`, `<` and `>` escaped. The deletion of a message that has
// replies arrives as a change into a tombstone by USLACKBOT, which is nobody.

import * as z from 'zod';
import { defined, instantOf, parseForm, parsePayload } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Delivery } from '../../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { withoutEscapes, wordsOf } from '../../../core/webhooks/original-text.ts';
import { platformUser } from '../../../core/webhooks/vouching.ts';
import { answerOf, File, filesOf, formOf, Values } from './form.ts';
import { textOfRichText } from './rich-text.ts';

const Text = z.string().optional();
const Said = z.looseObject({
  subtype: Text,
  ts: Text,
  text: Text,
  user: Text,
  bot_id: Text,
  team: Text,
  user_team: Text,
});
const Event = Said.extend({
  type: z.string(),
  channel: z.unknown().optional(),
  thread_ts: Text,
  event_ts: Text,
  files: z.array(File).optional(),
  blocks: z.unknown().optional(),
  message: Said.optional(),
  previous_message: Said.optional(),
  deleted_ts: Text,
  item: z.looseObject({ channel: Text, ts: Text }).optional(),
  reaction: Text,
});
type Event = z.infer<typeof Event>;
const Envelope = z.looseObject({
  type: z.string(),
  team_id: Text,
  event_id: Text,
  event_time: z.number().optional(),
  event: z.looseObject({ type: z.string(), subtype: Text }).optional(),
});

const Action = z.looseObject({
  action_id: Text,
  action_ts: Text,
  text: z.looseObject({ text: Text }).optional(),
});
const Interactive = z.looseObject({
  type: z.string(),
  trigger_id: Text,
  callback_id: Text,
  action_ts: Text,
  team: z.looseObject({ id: Text }).nullish(),
  user: z.looseObject({ id: z.string(), team_id: Text, name: Text }),
  channel: z.looseObject({ id: Text }).optional(),
  message: z.looseObject({ ts: Text }).optional(),
  actions: z.array(Action).optional(),
  view: z
    .looseObject({
      id: Text,
      hash: Text,
      callback_id: Text,
      state: z.looseObject({ values: Values }).optional(),
    })
    .optional(),
});

const ordinary: readonly (string | undefined)[] = [undefined, 'file_share', 'thread_broadcast', 'me_message'];
const none = (...ignored: string[]): Drafts => ({ interactions: [], ignored });

const messageId = (channel: unknown, ts: string | undefined): string | undefined =>
  typeof channel === 'string' && ts !== undefined ? `${channel}:${ts}` : undefined;

/** Writes reminders and stands in for the author of a deleted message. */
const SLACK_ITSELF = 'USLACKBOT';

const isMachine = ({ bot_id, user, subtype }: z.infer<typeof Said>): boolean =>
  bot_id !== undefined || (user === SLACK_ITSELF && subtype !== 'tombstone');

const person = (team: string | undefined, { user, team: own, user_team }: z.infer<typeof Said>): string[] => {
  const home = user_team ?? own ?? team;
  return user === undefined || user === SLACK_ITSELF || home === undefined ? [] : [`slack:${home}:${user}`];
};

const messageOf = (team: string | undefined, event: Event): DecodedInteraction | undefined => {
  const id = messageId(event.channel, event.ts);
  if (id === undefined || isMachine(event)) return undefined;
  const thread = event.thread_ts === event.ts ? undefined : messageId(event.channel, event.thread_ts);
  const attachments = filesOf(event.files ?? []);
  return {
    key: id,
    kind: 'message',
    channel: 'slack',
    direction: 'inbound',
    identifiers: person(team, event),
    externalId: id,
    conversationId: thread ?? String(event.channel),
    ...wordsOf(event.text || textOfRichText(event.blocks) || event.text, withoutEscapes),
    ...defined({ occurredAt: instantOf(event.ts), refersTo: thread }),
    ...(attachments.length > 0 && { attachments }),
  };
};

/**
 * An edit of a message by its author, or its deletion. Link previews change messages too, but not their text. A deletion may
 * come without the message: its customer is then the one of the message that it refers to.
 */
const changeOf = (team: string | undefined, event: Event): DecodedInteraction | undefined => {
  const { message, previous_message: before } = event;
  const deleted = event.subtype === 'message_deleted' || message?.subtype === 'tombstone';
  const said = deleted ? (before ?? {}) : message;
  const id = messageId(event.channel, event.deleted_ts ?? message?.ts);
  if (id === undefined || said === undefined || isMachine(said)) return undefined;
  if (!deleted && said.text === before?.text) return undefined;
  return {
    key: `${id}:${deleted ? 'delete' : 'edit'}:${event.event_ts ?? event.ts}`,
    kind: deleted ? 'delete' : 'edit',
    channel: 'slack',
    direction: 'inbound',
    identifiers: person(team, said),
    externalId: id,
    refersTo: id,
    conversationId: String(event.channel),
    ...(!deleted && wordsOf(said.text, withoutEscapes)),
    ...defined({ occurredAt: instantOf(event.event_ts ?? event.ts) }),
  };
};

const reactionOf = (team: string | undefined, event: Event): DecodedInteraction | undefined => {
  const refersTo = messageId(event.item?.channel, event.item?.ts);
  if (refersTo === undefined) return undefined;
  return {
    key: `${refersTo}:${event.type}:${event.reaction}:${event.user}:${event.event_ts}`,
    kind: 'reaction',
    channel: 'slack',
    direction: 'inbound',
    identifiers: person(team, event),
    refersTo,
    ...defined({ text: event.reaction, occurredAt: instantOf(event.event_ts) }),
    properties: { removed: event.type === 'reaction_removed' },
  };
};

const mapped: ReadonlySet<string> = new Set(['message', 'app_mention', 'reaction_added', 'reaction_removed']);

/** Other types have other shapes under the same names, and are not read. */
const actOf = (
  team: string | undefined,
  received: NonNullable<z.infer<typeof Envelope>['event']>,
): DecodedInteraction | undefined => {
  const { type, subtype } = received;
  if (!mapped.has(type)) return undefined;
  const event = Event.parse(received);
  if (type === 'reaction_added' || type === 'reaction_removed') return reactionOf(team, event);
  if (subtype === 'message_changed' || subtype === 'message_deleted') return changeOf(team, event);
  return ordinary.includes(subtype) ? messageOf(team, event) : undefined;
};

const Named = z.looseObject({ type: z.string() });
const interactions: ReadonlySet<string> = new Set([
  'block_actions',
  'shortcut',
  'message_action',
  'view_submission',
]);

const interactive = (text: string): Drafts => {
  const json = parsePayload(Buffer.from(text));
  const named = Named.parse(json);
  // Interactions of other types have other members.
  if (!interactions.has(named.type)) return none(named.type);
  const {
    type,
    team,
    user,
    channel,
    message,
    actions = [],
    view,
    trigger_id,
    callback_id,
    action_ts,
  } = Interactive.parse(json);
  const home = user.team_id ?? team?.id;
  const base = {
    channel: 'slack' as const,
    direction: 'inbound' as const,
    identifiers: home === undefined ? [] : [`slack:${home}:${user.id}`],
    ...defined({ conversationId: channel?.id }),
  };
  if (type === 'block_actions') {
    const refersTo = messageId(channel?.id, message?.ts);
    return {
      ignored: [],
      interactions: actions.map((action, at) => ({
        ...base,
        key: `${trigger_id ?? refersTo}:${action.action_id ?? at}:${action.action_ts}`,
        kind: 'postback' as const,
        ...defined({ text: action.text?.text, refersTo, occurredAt: instantOf(action.action_ts) }),
        properties: defined({
          action: action.action_id,
          payload: answerOf(action),
        }),
      })),
    };
  }
  if (type === 'shortcut' || type === 'message_action')
    return {
      ignored: [],
      interactions: [
        {
          ...base,
          key: `shortcut:${trigger_id}`,
          kind: 'postback',
          ...defined({ refersTo: messageId(channel?.id, message?.ts), occurredAt: instantOf(action_ts) }),
          properties: defined({ payload: callback_id }),
        },
      ],
    };
  if (type !== 'view_submission' || view === undefined) return none(type);
  const { fields, attachments } = formOf(view.state?.values ?? {});
  return {
    ignored: [],
    interactions: [
      {
        ...base,
        key: `view:${view.id}:${view.hash}`,
        kind: 'form',
        ...(attachments.length > 0 && { attachments }),
        properties: { ...defined({ form: view.callback_id }), fields },
      },
    ],
  };
};

const command = (form: Readonly<Record<string, string>>): Drafts => ({
  ignored: [],
  interactions: [
    {
      key: `command:${form['trigger_id']}`,
      kind: 'postback',
      channel: 'slack',
      direction: 'inbound',
      identifiers: form['team_id'] && form['user_id'] ? [`slack:${form['team_id']}:${form['user_id']}`] : [],
      text: [form['command'], withoutEscapes(form['text'] ?? '')].filter((part) => part).join(' '),
      ...defined({ conversationId: form['channel_id'] }),
      properties: { payload: form['command'] ?? '' },
    },
  ],
});

const decode = ({ headers, body }: Delivery): Drafts => {
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true) {
    const form = parseForm(body);
    if (form['payload'] !== undefined) return interactive(form['payload']);
    return form['command'] === undefined ? none('form') : command(form);
  }
  const { type, team_id, event } = Envelope.parse(parsePayload(body));
  if (type !== 'event_callback' || event === undefined) return none(type);
  const act = actOf(team_id, event);
  return act === undefined
    ? none([event.type, event.subtype].filter((part) => part !== undefined).join('.'))
    : { interactions: [act], ignored: [] };
};

export const slack = channelMapping({
  id: 'slack',
  channels: ['slack'],
  kinds: ['message', 'edit', 'delete', 'reaction', 'postback', 'form'],
  vouching: [platformUser('user', 'slack')],
  decode,
});
