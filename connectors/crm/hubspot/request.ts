import type { PublicGdprDeleteInput } from '@hubspot/api-client/lib/codegen/crm/contacts/models/PublicGdprDeleteInput.js';
import type {
  AssociationSpec,
  AssociationSpecAssociationCategoryEnum,
} from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec.js';
import type { BatchInputSimplePublicObjectId } from '@hubspot/api-client/lib/codegen/crm/objects/models/BatchInputSimplePublicObjectId.js';
import type { BatchReadInputSimplePublicObjectId } from '@hubspot/api-client/lib/codegen/crm/objects/models/BatchReadInputSimplePublicObjectId.js';
import type { PublicAssociationsForObject } from '@hubspot/api-client/lib/codegen/crm/objects/models/PublicAssociationsForObject.js';
import type { SimplePublicObjectBatchInputUpsert } from '@hubspot/api-client/lib/codegen/crm/objects/models/SimplePublicObjectBatchInputUpsert.js';
import type { Client } from '@hubspot/api-client/lib/src/client.js';
import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { jsonWithin } from '../../../core/formats/payload.ts';

// The bodies have the client's published types, so that a member that HubSpot does not have fails to compile. Why the
// calls do not go through its typed APIs: docs/decisions/0015-hubspot-without-its-typed-apis.md.

/** The version of the API in every dated path. */
const VERSION = '2026-09';

type Association = Omit<PublicAssociationsForObject, 'types'> & {
  readonly types: readonly (Omit<AssociationSpec, 'associationCategory'> & {
    readonly associationCategory: `${AssociationSpecAssociationCategoryEnum}`;
  })[];
};

/** One record of an upsert. HubSpot takes numbers and booleans as well as texts, and associations, which its type lacks. */
export type UpsertInput = Omit<SimplePublicObjectBatchInputUpsert, 'properties'> & {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly associations?: readonly Association[];
};

const Fault = z.looseObject({
  category: z.string().optional(),
  message: z.string().default(''),
  objectWriteTraceId: z.string().optional(),
  context: z.looseObject({ objectWriteTraceId: z.array(z.string()).optional() }).optional(),
});
const Answer = z.looseObject({
  results: z
    .array(
      z.looseObject({
        id: z.string(),
        objectWriteTraceId: z.string().optional(),
        properties: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default([]),
  errors: z.array(Fault).default([]),
  message: z.string().optional(),
  category: z.string().optional(),
});

export interface Answered {
  readonly status: number;
  readonly answer: z.infer<typeof Answer>;
}

export const upsertBatch = (
  client: Client,
  object: string,
  inputs: readonly UpsertInput[],
): Promise<Answered> => post(client, `/crm/objects/${VERSION}/${object}/batch/upsert`, { inputs });

/** The type demands a history of properties, which halves the size of a batch. */
export const readBatch = (
  client: Client,
  object: string,
  body: Omit<BatchReadInputSimplePublicObjectId, 'propertiesWithHistory'>,
): Promise<Answered> => post(client, `/crm/objects/${VERSION}/${object}/batch/read`, body);

export const archiveBatch = (
  client: Client,
  object: string,
  body: BatchInputSimplePublicObjectId,
): Promise<Answered> => post(client, `/crm/objects/${VERSION}/${object}/batch/archive`, body);

/** HubSpot has no dated path for this call. */
export const deleteContact = (client: Client, body: PublicGdprDeleteInput): Promise<Answered> =>
  post(client, '/crm/v3/objects/contacts/gdpr-delete', body);

/**
 * Resolves with an answer that concerns the records of the call. Throws `HubError` `unavailable-crm` (later) for
 * everything else: limits, locks, errors of HubSpot, and a token that it does not accept.
 */
const post = async (client: Client, path: string, body: object): Promise<Answered> => {
  const response = await client.apiRequest({ method: 'POST', path, body }).catch((error: unknown) => {
    throw new HubError('unavailable-crm', 'HubSpot could not be reached. The records wait in the queue.', {
      retry: 'later',
      cause: error,
    });
  });
  const text = await response.text();
  if (response.status === 204) return { status: 204, answer: Answer.parse({}) };
  const parsed = Answer.safeParse(jsonWithin(text));
  const answer = parsed.success ? parsed.data : Answer.parse({});
  // A page of HTML, from whichever proxy, says nothing about the records.
  const status = parsed.success ? response.status : Math.max(response.status, 502);
  if (status < 500 && ![401, 403, 423, 429, 477].includes(status)) return { status, answer };
  const requested = Number(response.headers.get('retry-after'));
  const afterSeconds = requested > 0 ? requested : status === 423 ? 2 : status === 429 ? 10 : 60;
  throw new HubError(
    'unavailable-crm',
    `HubSpot answered ${status} (${answer.category ?? 'no category'}). The records wait in the queue; for 401 and 403 check the private app's token and scopes.`,
    { retry: { afterSeconds } },
  );
};
