import { createHash } from 'node:crypto';
import * as z from 'zod';
import { JsonObject } from '../formats/json.ts';
import { Identifier, identifierType } from '../identity/identifier.ts';
import {
  Attachment,
  Channel,
  type DecodedInteraction,
  Direction,
  Instant,
  Kind,
  ProfileHints,
} from './interaction.ts';
import { storageFault } from './storable.ts';

/**
 * An interaction in the hub's own format, as programs of the business report it: a web form, a till, a call centre, an app.
 * docs/standard.md explains each field. The defaults are those of behaviour on a web page.
 */
export const Report = z
  .strictObject({
    /** The reporter's own id: a second report with the same id is the same interaction. */
    id: z.string().min(1).max(256).optional(),
    kind: Kind.exclude(['notification', 'unknown']).default('behaviour'),
    channel: Channel.default('web'),
    direction: Direction.default('inbound'),
    occurredAt: Instant.optional(),
    identifiers: z.array(Identifier).min(1).max(50),
    /** Those that a visitor typed, or could have: nobody vouches for them. */
    claimed: z.array(Identifier).max(50).optional(),
    /** Of a form, whose identifiers are claimed: those for which the reporter vouches, because the visitor has signed in. */
    proven: z.array(Identifier).max(50).optional(),
    /** The name of a behaviour; it becomes `properties.name`. */
    name: z.string().min(1).max(200).optional(),
    text: z.string().optional(),
    subject: z.string().optional(),
    attachments: z
      .array(Attachment.omit({ key: true }))
      .max(50)
      .optional(),
    /** The id of the message, call or order that this interaction is about. */
    refersTo: z.string().optional(),
    conversationId: z.string().optional(),
    properties: JsonObject.optional(),
    profile: ProfileHints.optional(),
  })
  .superRefine(({ properties, profile }, context) => {
    const fault = storageFault({ properties, profile });
    if (fault) context.addIssue({ code: 'custom', path: [...fault.path], message: fault.message });
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

/** A report as an interaction. `derivedKey`: the key if the reporter sent no id. */
export const interactionOfReport = (
  { id, name, claimed, proven, ...report }: Report,
  derivedKey: string,
): DecodedInteraction => ({
  ...report,
  key: id ?? derivedKey,
  ...(id !== undefined && { externalId: id }),
  ...(name !== undefined && { properties: { name, ...report.properties } }),
  ...claimedIn(report, claimed, proven),
});

/** A form's identifiers are claimed unless listed as proven; others only if listed; a device's always. */
const claimedIn = (
  { kind, identifiers }: Pick<Report, 'kind' | 'identifiers'>,
  claimed: readonly string[] = [],
  proven: readonly string[] = [],
): Pick<DecodedInteraction, 'claimed'> => {
  const all = identifiers.filter(
    (one) =>
      identifierType(one) === 'anonymous' ||
      claimed.includes(one) ||
      (kind === 'form' && !proven.includes(one)),
  );
  return all.length === 0 ? {} : { claimed: all };
};

/** A key from the content: two reports without an id and with the same content are one interaction. */
export const contentKey = (report: Report): string =>
  createHash('sha256').update(JSON.stringify(report)).digest('base64url').slice(0, 22);
