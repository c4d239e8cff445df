import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Identifier } from '../identity/identifier.ts';
import {
  Attachment,
  Channel,
  type DecodedInteraction,
  Direction,
  Instant,
  Kind,
  ProfileHints,
} from './interaction.ts';

/**
 * An act in the hub's own words, as a business's own programs report it: a web form, a till, a call centre, a kiosk, an
 * app. docs/standard.md explains each member; whatever is left out is what a web page's behaviour would be.
 */
export const Report = z.strictObject({
  /** The reporter's own id: the same id again is the same act. */
  id: z.string().min(1).max(256).optional(),
  kind: Kind.exclude(['notification', 'unknown']).default('behaviour'),
  channel: Channel.default('web'),
  direction: Direction.default('inbound'),
  occurredAt: Instant.optional(),
  identifiers: z.array(Identifier).min(1).max(50),
  /** What a behaviour is called; it becomes `properties.name`. */
  name: z.string().min(1).max(200).optional(),
  text: z.string().optional(),
  subject: z.string().optional(),
  attachments: z
    .array(Attachment.omit({ key: true }))
    .max(50)
    .optional(),
  /** The id of the message, call or order that this is about. */
  refersTo: z.string().optional(),
  conversationId: z.string().optional(),
  properties: z.record(z.string(), z.json()).optional(),
  profile: ProfileHints.optional(),
});
export type Report = z.output<typeof Report>;

export const MOST_REPORTS = 1000;

/** One report, a list of them, or a list under `events`. */
export const Reports = z
  .union([
    z.array(z.unknown()),
    z.looseObject({ events: z.array(z.unknown()) }).transform(({ events }) => events),
  ])
  .or(z.looseObject({}).transform((one): unknown[] => [one]))
  .pipe(z.array(z.unknown()).min(1).max(MOST_REPORTS));

/** `derivedKey` is what makes it the same act where the reporter gave no id. */
export const interactionOfReport = (
  { id, name, ...report }: Report,
  derivedKey: string,
): DecodedInteraction => ({
  ...report,
  key: id ?? derivedKey,
  ...(id !== undefined && { externalId: id }),
  ...(name !== undefined && { properties: { name, ...report.properties } }),
});

/** The same act reported twice without an id is one, as long as it is told in the same words. */
export const contentKey = (report: Report): string =>
  createHash('sha256').update(JSON.stringify(report)).digest('base64url').slice(0, 22);
