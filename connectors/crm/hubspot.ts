import { Client } from '@hubspot/api-client/lib/src/client.js';
import * as z from 'zod';
import type { CrmConnector, CrmRecord, CrmResult, CrmSession } from '../../core/crm.ts';
import { HubError } from '../../core/errors.ts';

// Batches of 100. A refusal of the whole batch (400, 409) is one record's fault: the batch is halved until that one
// stands alone. 207 resolves as success, so every result is matched by its own trace id.

const VERSION = '2026-09';
const PER_BATCH = 100;
/** Association types from an activity to its contact. */
const toContact: Readonly<Record<string, number>> = {
  communications: 81,
  calls: 194,
  emails: 198,
  notes: 202,
  tasks: 204,
};

const Credentials = z.object({ accessToken: z.string().min(1), baseUrl: z.url().optional() });
const Fault = z.looseObject({
  category: z.string().optional(),
  message: z.string().default(''),
  objectWriteTraceId: z.string().optional(),
  context: z.looseObject({ objectWriteTraceId: z.array(z.string()).optional() }).optional(),
});
const Answer = z.looseObject({
  results: z.array(z.looseObject({ id: z.string(), objectWriteTraceId: z.string().optional() })).default([]),
  errors: z.array(Fault).default([]),
  message: z.string().optional(),
  category: z.string().optional(),
});

export const hubspot: CrmConnector = {
  id: 'hubspot',
  title: 'HubSpot',
  // A private app has 100 calls in ten seconds; some are left to whoever else uses it.
  budget: { calls: 90, seconds: 10 },
  perCall: PER_BATCH,
  async open(raw) {
    const { accessToken, baseUrl } = Credentials.parse(raw);
    const client = new Client({
      accessToken,
      ...(baseUrl !== undefined && { basePath: baseUrl }),
      numberOfApiCallRetries: 0,
    });
    return session(client);
  },
};

const session = (client: Client): CrmSession => {
  const batch = async (
    object: string,
    keyField: string,
    records: readonly CrmRecord[],
  ): Promise<CrmResult[]> => {
    const { status, answer, retryAfter } = await call(client, object, keyField, records);
    if (
      status === 429 ||
      status >= 500 ||
      status === 423 ||
      status === 477 ||
      status === 401 ||
      status === 403
    ) {
      const seconds = retryAfter ?? (status === 423 ? 2 : status === 429 ? 10 : 60);
      throw new HubError(
        'hubspot-unreachable',
        `HubSpot answered ${status} (${answer.category ?? 'no category'}). The records wait in the queue; for 401 and 403 check the private app's token and scopes.`,
        { retry: { afterSeconds: seconds } },
      );
    }
    if (status >= 400) {
      if (records.length > 1) {
        const middle = Math.ceil(records.length / 2);
        return [
          ...(await batch(object, keyField, records.slice(0, middle))),
          ...(await batch(object, keyField, records.slice(middle))),
        ];
      }
      return records.map(({ key }) => ({
        key,
        error: fault(answer.category ?? String(status), answer.message ?? ''),
      }));
    }
    const ids = new Map(answer.results.map(({ id, objectWriteTraceId }) => [objectWriteTraceId, id]));
    const faults = new Map(
      answer.errors.flatMap((one) =>
        [one.objectWriteTraceId ?? '', ...(one.context?.objectWriteTraceId ?? [])].map(
          (trace) => [trace, one] as const,
        ),
      ),
    );
    return records.map(({ key }): CrmResult => {
      const id = ids.get(key);
      if (id !== undefined) return { key, id };
      const one = faults.get(key);
      return {
        key,
        error: fault(one?.category ?? 'UNKNOWN', one?.message ?? 'HubSpot told nothing of this record.'),
      };
    });
  };
  return {
    async upsert(object, keyField, records) {
      const results: CrmResult[] = [];
      for (let start = 0; start < records.length; start += PER_BATCH)
        results.push(...(await batch(object, keyField, records.slice(start, start + PER_BATCH))));
      return results;
    },
  };
};

const call = async (
  client: Client,
  object: string,
  keyField: string,
  records: readonly CrmRecord[],
): Promise<{ status: number; answer: z.infer<typeof Answer>; retryAfter: number | undefined }> => {
  const inputs = records.map(({ key, fields, contact }) => ({
    idProperty: keyField,
    id: key,
    objectWriteTraceId: key,
    properties: { ...fields, [keyField]: key },
    ...(contact !== undefined && {
      associations: [
        {
          to: { id: contact },
          types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: toContact[object] }],
        },
      ],
    }),
  }));
  const response = await client
    .apiRequest({ method: 'POST', path: `/crm/objects/${VERSION}/${object}/batch/upsert`, body: { inputs } })
    .catch((error: unknown) => {
      throw new HubError(
        'hubspot-unreachable',
        'HubSpot could not be reached. The records wait in the queue.',
        { retry: 'later', cause: error },
      );
    });
  const text = await response.text();
  const parsed = text.trimStart().startsWith('{') ? Answer.safeParse(JSON.parse(text)) : undefined;
  if (parsed?.success !== true)
    return { status: Math.max(response.status, 502), answer: Answer.parse({}), retryAfter: undefined };
  const seconds = Number(response.headers.get('retry-after'));
  return { status: response.status, answer: parsed.data, retryAfter: seconds > 0 ? seconds : undefined };
};

const fault = (category: string, message: string): HubError =>
  new HubError(
    `hubspot-${category.toLowerCase().replaceAll('_', '-')}`,
    `HubSpot refused a record with ${category}: ${message.slice(0, 300)} Mend the cause in HubSpot or in mappings/crm/hubspot.yaml, then replay.`,
    { retry: 'never' },
  );
