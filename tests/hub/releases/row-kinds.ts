import * as z from 'zod';
import { RateLimit } from '../../../core/crm/rate-limit.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { Amounts } from '../../../core/timeline/figures.ts';
import { Pace } from '../../../core/triggers/sending/pace.ts';
import { connectionOf, ParkedMessage, pollStateOf } from '../../../functions/contracts/rows/connections.ts';
import {
  crmOutcomeOf,
  erasedPersonOf,
  erasureOf,
  erasurePartOf,
} from '../../../functions/contracts/rows/erasures.ts';
import {
  commandOf,
  interactionOf,
  MessageStatusRow,
  messagePointerOf,
  seenOf,
} from '../../../functions/contracts/rows/interactions.ts';
import {
  Attempt,
  ConfigRow,
  failureOf,
  jobOf,
  Pointer,
  RefusedCommand,
} from '../../../functions/contracts/rows/operations.ts';
import {
  activityOf,
  addressClaimOf,
  answerOf,
  claimedPairsOf,
  claimOf,
  confirmationOf,
  erasedOf,
  guestOf,
  mergeOf,
  ownerOf,
  profileOf,
  reopeningOf,
  reviewOf,
  splitOf,
} from '../../../functions/contracts/rows/people.ts';
import { CountedPage, Listed } from '../../../functions/contracts/rows/projections.ts';
import type { Row } from '../../../functions/contracts/rows/row.ts';
import { casesOf, syncStateOf } from '../../../functions/contracts/rows/sync.ts';
import {
  audienceOf,
  CurrentTrigger,
  Limits,
  MemberRow,
  notificationOf,
  OnceRow,
  placeOf,
  TestMessageRow,
  TriggerDraft,
  TriggerVersionRow,
} from '../../../functions/contracts/rows/triggers.ts';
import { Lease } from '../../../functions/sync/connection/lease.ts';
import { FoundFor, HoldersRow } from '../../../functions/sync/jobs/adoption/holders.ts';

/** Rows of which nothing but their key is read. */
const KeyOnly = z.looseObject({});

/** Every kind of row by how its key begins, `pk sk`, and the schema by which its attributes are read. The first match counts. */
const kinds: Readonly<Record<string, readonly [key: RegExp, schema: z.ZodType]>> = {
  profile: [/^customer#\S+ profile$/u, profileOf.schema],
  activity: [/^customer#\S+ activity$/u, activityOf.schema],
  limits: [/^(?:customer#|claim#|claims).* limits$/u, Limits],
  listed: [/^customer#\S+ listed$/u, Listed],
  interaction: [/^customer#\S+ at#/u, interactionOf.schema],
  notification: [/^customer#\S+ notification#/u, notificationOf.schema],
  consent: [/^customer#\S+ consent#/u, answerOf.schema],
  merge: [/^customer#\S+ merge#/u, mergeOf.schema],
  split: [/^customer#\S+ split#/u, splitOf.schema],
  reopening: [/^customer#\S+ reopened#/u, reopeningOf.schema],
  confirmation: [/^customer#\S+ confirmed#/u, confirmationOf.schema],
  command: [/^customer#\S+ command#/u, commandOf.schema],
  once: [/^customer#\S+ once#/u, OnceRow],
  series: [/^customer#\S+ series#/u, placeOf.schema],
  member: [/^customer#\S+ member#/u, MemberRow],
  'test-message': [/^customer#\S+ test#/u, TestMessageRow],
  sync: [/^customer#\S+ sync#/u, syncStateOf.schema],
  cases: [/^customer#\S+ cases#/u, casesOf.schema],
  read: [/^customer#\S+ read#/u, MessageStatusRow],
  owner: [/^identifier#.* owner$/u, ownerOf.schema],
  guest: [/^identifier#.* guest$/u, guestOf.schema],
  claim: [/^claim#.* at#/u, claimOf.schema],
  'address-claim': [/^claim#.* (?:mute|opt-in)$/u, addressClaimOf.schema],
  'claimed-pairs': [/^claims#.* pairs$/u, claimedPairsOf.schema],
  message: [/^message#.* ref$/u, messagePointerOf.schema],
  'message-status': [/^message#.* status$/u, MessageStatusRow],
  seen: [/^seen#/u, seenOf.schema],
  erased: [/^erased#/u, erasedOf.schema],
  'refused-command': [/^refused#/u, RefusedCommand],
  nonce: [/^nonce#/u, KeyOnly],
  review: [/^review /u, reviewOf.schema],
  failure: [/^failure#/u, failureOf.schema],
  pointer: [/^list#(?:failures#|jobs |erasures )/u, Pointer],
  attempt: [/^attempt#/u, Attempt],
  job: [/^job#/u, jobOf.schema],
  'adoption-note': [/^adoption#/u, z.union([HoldersRow, FoundFor])],
  erasure: [/^erasure#\S+ erasure$/u, erasureOf.schema],
  'erased-person': [/^erasure#\S+ person$/u, erasedPersonOf.schema],
  'erasure-part': [/^erasure#\S+ part#/u, erasurePartOf.schema],
  'erasure-outcome': [/^erasure#\S+ crm#/u, crmOutcomeOf.schema],
  place: [/^list#/u, KeyOnly],
  figures: [/^figures#/u, Amounts],
  'trigger-figures': [/^trigger-figures#/u, z.record(z.string(), z.number())],
  counted: [/^counted#/u, CountedPage],
  configuration: [/^config#/u, ConfigRow],
  'trigger-version': [/^trigger#\S+ v#/u, TriggerVersionRow],
  'current-trigger': [/^trigger#\S+ current$/u, CurrentTrigger],
  'trigger-draft': [/^trigger#\S+ draft$/u, TriggerDraft],
  audience: [/^audiences /u, audienceOf.schema],
  budget: [/^budget#/u, RateLimit],
  connection: [/^connection#/u, connectionOf.schema],
  poll: [/^poll#/u, pollStateOf.schema],
  parked: [/^parked#/u, ParkedMessage],
  pace: [/^pace#/u, Pace],
  channel: [/^channel#/u, KeyOnly],
  decision: [/^decided#/u, KeyOnly],
  lease: [/^lease#/u, Lease],
};

export const rowKinds: readonly string[] = Object.keys(kinds);

/** The kind of a row. Throws where the key is of no known kind. */
export const rowKindOf = ({ pk, sk }: Pick<Row, 'pk' | 'sk'>): string => {
  const found = Object.entries(kinds).find(([, [key]]) => key.test(`${pk} ${sk}`));
  if (found === undefined) throw new Error(`A row ${pk} ${sk} is of no kind that row-kinds.ts lists.`);
  return found[0];
};

/** The attributes of a row as its reader gets them: those of a status keep their expiry. */
export const attributesOf = ({ pk, sk, expiresAt, ...rest }: Row): object =>
  ['read', 'message-status'].includes(rowKindOf({ pk, sk })) ? { ...rest, expiresAt } : rest;

/** The schema by which the attributes of a row are read. */
export const schemaOf = (row: Row): z.ZodType => tolerant(kinds[rowKindOf(row)]?.[1] ?? KeyOnly);

/** Of each kind of row the JSON Schema of what is read. */
export const rowSchemas = (): Record<string, object> =>
  Object.fromEntries(
    Object.entries(kinds).map(([kind, [, schema]]) => [kind, z.toJSONSchema(schema, { io: 'input' })]),
  );
