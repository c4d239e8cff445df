import * as z from 'zod';
import type { SandboxAnswer } from '../protocol/server.ts';

/** Properties by object that every account has. */
export const standardProperties: Readonly<Record<string, readonly string[]>> = {
  contacts: ['firstname', 'lastname', 'email', 'phone', 'lifecyclestage'],
  communications: [
    'hs_communication_channel_type',
    'hs_communication_logged_from',
    'hs_communication_body',
    'hs_timestamp',
  ],
  emails: ['hs_email_direction', 'hs_email_subject', 'hs_email_text', 'hs_timestamp'],
  calls: ['hs_call_direction', 'hs_call_title', 'hs_timestamp'],
  notes: ['hs_note_body', 'hs_timestamp'],
};

/** The type of the association of an activity with a contact. */
export const associationTypes: Readonly<Record<string, number>> = {
  communications: 81,
  calls: 194,
  emails: 198,
  notes: 202,
};

export const MOST_INPUTS = 100;

export const UpsertInput = z.object({
  id: z.string(),
  idProperty: z.string(),
  objectWriteTraceId: z.string().optional(),
  properties: z.record(z.string(), z.unknown()),
  associations: z
    .array(
      z.object({
        to: z.object({ id: z.union([z.string(), z.number()]).transform(String) }),
        types: z.array(z.object({ associationCategory: z.string(), associationTypeId: z.number() })),
      }),
    )
    .optional(),
});
export type UpsertInput = z.infer<typeof UpsertInput>;

export const PurgeInput = z.object({ objectId: z.string(), idProperty: z.string().optional() });
export const IdInputs = z.object({
  idProperty: z.string().optional(),
  inputs: z.array(z.object({ id: z.string() })).max(MOST_INPUTS),
});

const correlationId = 'a43683b0-5717-4ceb-80b4-104d02915d8c';

/** HubSpot's error response. */
export const refusal = (
  status: number,
  category: string,
  message: string,
  headers: Record<string, string> = {},
): SandboxAnswer => ({ status, headers, body: { status: 'error', message, correlationId, category } });

export const invalidBatch = (): SandboxAnswer =>
  refusal(400, 'VALIDATION_ERROR', `Invalid input JSON, or more than ${MOST_INPUTS} inputs`);
