import { Client } from '@hubspot/api-client/lib/src/client.js';
import * as z from 'zod';
import type { CrmConnector, CrmRecord, CrmResult, CrmSession, Removal } from '../../../core/crm/connector.ts';
import { HubError } from '../../../core/errors.ts';

// Batches of 100. A refusal of the whole batch (400, 409) is one record's fault: the batch is halved until that one
// stands alone. 207 resolves as success, so every result is matched by its own trace id.

const VERSION = '2026-09';
const PER_BATCH = 100;
/** The one object that can be deleted for good, record by record; what belongs to a contact goes with it. */
const CONTACTS = 'contacts';
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

export const hubspot: CrmConnector = {
  id: 'hubspot',
  title: 'HubSpot',
  // A private app has 100 calls in ten seconds; some are left to whoever else uses it.
  budget: { calls: 90, seconds: 10 },
  perCall: PER_BATCH,
  callsToRemove: (object, records) => (object === CONTACTS ? records : 2 * Math.ceil(records / PER_BATCH)),
  keeps: [
    'Deleted calls, e-mails, notes and messages lie in the recycle bin for 90 days, unless they went with the contact, which is deleted for good; HubSpot ends that within 30 days.',
  ],
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
    expectUsable({ status, answer, retryAfter });
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
        taken: status === 409,
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
        taken: one?.category === 'CONFLICT',
      };
    });
  };
  return {
    async remove(object, keyField, keys) {
      const removals: Removal[] = [];
      if (object === CONTACTS) for (const key of keys) removals.push(await purge(client, keyField, key));
      else
        for (let start = 0; start < keys.length; start += PER_BATCH)
          removals.push(...(await archive(client, object, keyField, keys.slice(start, start + PER_BATCH))));
      return removals;
    },
    async upsert(object, keyField, records) {
      const results: CrmResult[] = [];
      for (let start = 0; start < records.length; start += PER_BATCH)
        results.push(...(await batch(object, keyField, records.slice(start, start + PER_BATCH))));
      return results;
    },
  };
};

interface Answered {
  readonly status: number;
  readonly answer: z.infer<typeof Answer>;
  readonly retryAfter: number | undefined;
}

/** Throws what another try may mend: limits, locks, faults of HubSpot, and a token that it does not take. */
const expectUsable = ({ status, answer, retryAfter }: Answered): void => {
  if (status < 500 && ![401, 403, 423, 429, 477].includes(status)) return;
  const seconds = retryAfter ?? (status === 423 ? 2 : status === 429 ? 10 : 60);
  throw new HubError(
    'unavailable-crm',
    `HubSpot answered ${status} (${answer.category ?? 'no category'}). The records wait in the queue; for 401 and 403 check the private app's token and scopes.`,
    { retry: { afterSeconds: seconds } },
  );
};

const call = (
  client: Client,
  object: string,
  keyField: string,
  records: readonly CrmRecord[],
): Promise<Answered> => {
  const inputs = records.map(({ key, fields, contact }) => ({
    idProperty: keyField,
    id: key,
    objectWriteTraceId: key,
    properties: { ...emptied(fields), [keyField]: key },
    ...(contact !== undefined && {
      associations: [
        {
          to: { id: contact },
          types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: toContact[object] }],
        },
      ],
    }),
  }));
  return post(client, `/crm/objects/${VERSION}/${object}/batch/upsert`, { inputs });
};

/** HubSpot empties a property that is given as an empty text. */
const emptied = (fields: CrmRecord['fields']): object =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? '']));

/** Deletes a contact for good, by a property that is unique: nobody has to know HubSpot's own id. */
const purge = async (client: Client, idProperty: string, key: string): Promise<Removal> => {
  // HubSpot has not given this one a dated path.
  const answered = await post(client, '/crm/v3/objects/contacts/gdpr-delete', { objectId: key, idProperty });
  expectUsable(answered);
  const { status, answer } = answered;
  if (status === 404) return { key, found: false };
  if (status < 300) return { key, found: true };
  return { key, error: fault(answer.category ?? String(status), answer.message ?? '') };
};

/** Records are archived by HubSpot's own ids, which are asked for first; those that are not there are left out. */
const archive = async (
  client: Client,
  object: string,
  idProperty: string,
  keys: readonly string[],
): Promise<Removal[]> => {
  const path = `/crm/objects/${VERSION}/${object}/batch`;
  const inputs = keys.map((id) => ({ id }));
  const read = await post(client, `${path}/read`, { idProperty, properties: [idProperty], inputs });
  expectUsable(read);
  const missing =
    read.status === 404 || read.answer.errors.every(({ category }) => category === 'OBJECT_NOT_FOUND');
  if ((read.status >= 300 && read.status !== 404) || !missing)
    return keys.map((key) => ({
      key,
      error: fault(read.answer.category ?? String(read.status), read.answer.message ?? ''),
    }));
  const ids = new Map(
    read.answer.results.flatMap(({ id, properties }) => {
      const key = properties?.[idProperty];
      return typeof key === 'string' ? [[key, id] as const] : [];
    }),
  );
  if (ids.size === 0) return keys.map((key) => ({ key, found: false }));
  const gone = await post(client, `${path}/archive`, { inputs: [...ids.values()].map((id) => ({ id })) });
  expectUsable(gone);
  return keys.map((key): Removal => {
    if (!ids.has(key)) return { key, found: false };
    if (gone.status < 300) return { key, found: true };
    return { key, error: fault(gone.answer.category ?? String(gone.status), gone.answer.message ?? '') };
  });
};

const post = async (client: Client, path: string, body: object): Promise<Answered> => {
  const response = await client.apiRequest({ method: 'POST', path, body }).catch((error: unknown) => {
    throw new HubError('unavailable-crm', 'HubSpot could not be reached. The records wait in the queue.', {
      retry: 'later',
      cause: error,
    });
  });
  const text = await response.text();
  if (response.status === 204) return { status: 204, answer: Answer.parse({}), retryAfter: undefined };
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
