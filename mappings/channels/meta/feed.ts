// https://developers.facebook.com/docs/graph-api/webhooks/reference/page/#feed
// A reaction has no id: its key is made of the person, the post, whether it was removed, and its time if it has one.

import * as z from 'zod';
import { defined, instantOf } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';

const Text = z.string().optional();
const Id = z.union([z.string().trim().min(1), z.number()]).transform(String);

type Medium = 'messenger' | 'instagram';

const Feed = z.looseObject({
  item: Text,
  verb: Text,
  from: z.looseObject({ id: Id, name: Text, username: Text }).optional(),
  comment_id: Text,
  post_id: Text,
  parent_id: Text,
  reaction_type: Text,
  created_time: z.union([z.string(), z.number()]).optional(),
  message: Text,
  id: Text,
  text: Text,
  media: z.looseObject({ id: Id }).optional(),
});

const reactionOf = (
  medium: Medium,
  account: string,
  value: z.infer<typeof Feed>,
  time: unknown,
): DecodedInteraction | undefined => {
  const { from, verb, reaction_type: text = 'like' } = value;
  const refersTo = value.comment_id ?? value.post_id;
  if (from === undefined || from.id === account || refersTo === undefined) return undefined;
  const at = instantOf(value.created_time ?? time);
  const removed = verb === 'remove';
  return {
    key: `${refersTo}:reaction:${from.id}:${text}:${verb ?? 'add'}:${at ?? ''}`,
    kind: 'reaction',
    channel: medium,
    direction: 'inbound',
    identifiers: [`${medium}:${account}:${from.id}`],
    refersTo,
    ...defined({ occurredAt: at, text: removed ? undefined : text }),
    ...(from.name !== undefined && { profile: { name: { full: from.name } } }),
    properties: { action: removed ? 'unreact' : 'react' },
  };
};

const commentVerbs: Readonly<Record<string, 'comment' | 'edit' | 'delete'>> = {
  add: 'comment',
  edited: 'edit',
  edit: 'edit',
  remove: 'delete',
  delete: 'delete',
};

/** A comment, its edit or deletion, or a reaction: public activity under a post of the business. */
export const publicActOf = (
  medium: Medium,
  account: string,
  raw: unknown,
  time: unknown,
): DecodedInteraction | undefined => {
  const value = Feed.parse(raw);
  const id = value.comment_id ?? (medium === 'instagram' ? value.id : undefined);
  const verb = value.verb ?? 'add';
  if (value.item === 'reaction' || value.item === 'like') return reactionOf(medium, account, value, time);
  const kind = commentVerbs[verb];
  if (id === undefined || kind === undefined || (medium === 'messenger' && value.item !== 'comment'))
    return undefined;
  const ours = value.from?.id === account;
  const at = instantOf(value.created_time ?? time);
  const text = value.message ?? value.text;
  const post = value.post_id ?? value.media?.id;
  return {
    // An edited comment keeps its time of creation.
    key: kind === 'edit' ? `${id}:${verb}:${String(time)}` : `${id}:${verb}`,
    externalId: id,
    kind: ours && kind === 'comment' ? 'echo' : kind,
    channel: medium,
    direction: ours ? 'outbound' : 'inbound',
    identifiers: value.from === undefined || ours ? [] : [`${medium}:${account}:${value.from.id}`],
    ...(at !== undefined && { occurredAt: at }),
    ...(text !== undefined && { text }),
    ...(value.from?.name !== undefined && !ours && { profile: { name: { full: value.from.name } } }),
    ...(post !== undefined && { properties: { post } }),
  };
};
