// https://developers.facebook.com/docs/graph-api/webhooks/reference/page/#feed
// Comments, posts of visitors, mentions and reviews, each of which names its author in members of its own. A post of the
// business itself is no interaction. A reaction has no id: its key is made of the person, the post, whether it was removed, and its time if it has one.

import * as z from 'zod';
import { defined, entryOf, instantOf } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';

const Text = z.string().optional();
const Id = z.union([z.string().trim().min(1), z.number()]).transform(String);

type Medium = 'messenger' | 'instagram';

const Feed = z.looseObject({
  item: Text,
  verb: Text,
  from: z.looseObject({ id: Id, name: Text, username: Text }).optional(),
  sender_id: Id.optional(),
  sender_name: Text,
  reviewer_id: Id.optional(),
  reviewer_name: Text,
  review_text: Text,
  recommendation_type: Text,
  rating: z.number().optional(),
  open_graph_story_id: Id.optional(),
  link: Text,
  photo: Text,
  video: Text,
  photos: z.array(z.string()).optional(),
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

type Author = Pick<NonNullable<z.infer<typeof Feed>['from']>, 'id' | 'name'>;

const authorOf = ({ from, ...value }: z.infer<typeof Feed>): Author | undefined => {
  if (from !== undefined) return from;
  if (value.sender_id !== undefined) return { id: value.sender_id, name: value.sender_name };
  return value.reviewer_id === undefined ? undefined : { id: value.reviewer_id, name: value.reviewer_name };
};

/** Items of a feed that are comments or posts; the others concern events, jobs, lists and the like. */
const posts: ReadonlySet<string> = new Set([
  'status',
  'post',
  'photo',
  'video',
  'link',
  'share',
  'album',
  'note',
]);

/** The id of what was written. A comment has one on every medium; a post and a review have others. */
const idOf = (medium: Medium, value: z.infer<typeof Feed>): string | undefined => {
  if (medium === 'instagram') return value.comment_id ?? value.id;
  if (value.item === 'comment') return value.comment_id;
  if (value.item === 'rating') return value.open_graph_story_id;
  return posts.has(value.item ?? '') ? value.post_id : undefined;
};

/** The files of what was written: their addresses at Meta expire. */
const filesOf = ({ item, link, photo, video, photos = [] }: z.infer<typeof Feed>) => {
  const linked = item === 'photo' || item === 'video' ? [link] : [];
  const urls = [photo, video, ...photos, ...linked].filter((url) => url !== undefined);
  return [...new Set(urls)].map((url) => ({ url, keep: true as const }));
};

/** A comment, post or review, its edit or deletion, or a reaction: what people do in public on a page of the business. */
export const publicActOf = (
  medium: Medium,
  account: string,
  raw: unknown,
  time: unknown,
): DecodedInteraction | undefined => {
  const value = Feed.parse(raw);
  const id = idOf(medium, value);
  const verb = value.verb ?? 'add';
  if (value.item === 'reaction' || value.item === 'like') return reactionOf(medium, account, value, time);
  const kind = entryOf(commentVerbs, verb);
  if (id === undefined || kind === undefined) return undefined;
  const author = authorOf(value);
  const ours = author?.id === account;
  const isPost = posts.has(value.item ?? '');
  if (ours && isPost) return undefined;
  const at = instantOf(value.created_time ?? time);
  const text = value.message ?? value.text ?? value.review_text;
  const attachments = filesOf(value);
  const properties = defined({
    post: isPost ? undefined : (value.post_id ?? value.media?.id),
    item: value.item === 'comment' ? undefined : value.item,
    link: value.item === 'link' || value.item === 'share' ? value.link : undefined,
    recommendation: value.recommendation_type?.toLowerCase(),
    rating: value.rating,
  });
  return {
    // An edited comment keeps its time of creation.
    key: kind === 'edit' ? `${id}:${verb}:${String(time)}` : `${id}:${verb}`,
    externalId: id,
    kind: ours && kind === 'comment' ? 'echo' : kind,
    channel: medium,
    direction: ours ? 'outbound' : 'inbound',
    identifiers: author === undefined || ours ? [] : [`${medium}:${account}:${author.id}`],
    ...defined({ occurredAt: at, text: kind === 'delete' ? undefined : text }),
    ...(attachments.length > 0 && { attachments }),
    ...(author?.name !== undefined && !ours && { profile: { name: { full: author.name } } }),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
};
