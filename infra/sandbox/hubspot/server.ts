import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { Records } from '../protocol/records.ts';
import { type Listening, type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';

const standardProperties: Readonly<Record<string, readonly string[]>> = {
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
const associationTypes: Readonly<Record<string, number>> = {
  communications: 81,
  calls: 194,
  emails: 198,
  notes: 202,
};

export const hubspotToken = 'pat-sandbox-00000000';

export interface HubspotOptions {
  readonly port?: number | undefined;
  /** Properties that the account has added to every object. */
  readonly customProperties: readonly string[];
}

export interface HubspotSandbox extends Listening {
  readonly records: Records;
  readonly calls: () => number;
  /** Answers every request with this status and category until it is lifted. */
  fail(
    fault: { readonly status: number; readonly category: string; readonly retryAfter?: number } | undefined,
  ): void;
}

const Inputs = z.object({
  inputs: z.array(
    z.object({
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
    }),
  ),
});
type Input = z.infer<typeof Inputs>['inputs'][number];

const Purge = z.object({ objectId: z.string(), idProperty: z.string().optional() });
const Named = z.object({
  idProperty: z.string().optional(),
  inputs: z.array(z.object({ id: z.string() })),
});

const correlationId = 'a43683b0-5717-4ceb-80b4-104d02915d8c';
const refusal = (
  status: number,
  category: string,
  message: string,
  headers: Record<string, string> = {},
): SandboxAnswer => ({ status, headers, body: { status: 'error', message, correlationId, category } });

/** HubSpot as its client library sees it: batch upserts by a unique property, partial success, conflicts, limits. */
export const hubspotSandbox = async (
  db: DatabaseSync,
  { port = 0, customProperties }: HubspotOptions,
): Promise<HubspotSandbox> => {
  const records = new Records(db, 'hubspot');
  const state: { fault?: Parameters<HubspotSandbox['fail']>[0]; calls: number } = { calls: 0 };

  const faultOf = (object: string, input: Input): { category: string; message: string } | undefined => {
    const known = [...(standardProperties[object] ?? []), ...customProperties];
    const unknown = Object.keys(input.properties).find((name) => !known.includes(name));
    if (unknown !== undefined)
      return { category: 'VALIDATION_ERROR', message: `Property "${unknown}" does not exist` };
    const email = input.properties['email'];
    if (typeof email === 'string' && email !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/u.test(email))
      return { category: 'VALIDATION_ERROR', message: `Email address ${email} is invalid` };
    const wrong = input.associations?.find(
      ({ to, types }) =>
        types.some(({ associationTypeId }) => associationTypeId !== associationTypes[object]) ||
        records.byId('contacts', to.id) === undefined,
    );
    return wrong
      ? { category: 'OBJECT_NOT_FOUND', message: `No contact with id ${wrong.to.id} can be associated` }
      : undefined;
  };

  const upsert = (object: string, body: string): SandboxAnswer => {
    if (standardProperties[object] === undefined)
      return refusal(400, 'VALIDATION_ERROR', `Unable to infer object type from: ${object}`);
    const parsed = Inputs.safeParse(JSON.parse(body));
    if (!parsed.success || parsed.data.inputs.length > 100)
      return refusal(400, 'VALIDATION_ERROR', 'Invalid input JSON, or more than 100 inputs');
    const { inputs } = parsed.data;
    if (new Set(inputs.map(({ id }) => id)).size < inputs.length)
      return refusal(400, 'VALIDATION_ERROR', 'Duplicate IDs found in batch input');
    for (const { id, properties: given } of inputs) {
      const email = given['email'];
      const other =
        email === undefined || email === ''
          ? undefined
          : records.find('contacts', ({ key, fields }) => key !== id && fields['email'] === email);
      if (object === 'contacts' && other)
        return refusal(409, 'CONFLICT', `Contact already exists. Existing ID: ${other.id}`);
    }
    const results: object[] = [];
    const errors: object[] = [];
    for (const input of inputs) {
      const fault = faultOf(object, input);
      const trace = input.objectWriteTraceId;
      if (fault) {
        errors.push({ status: 'error', ...fault, context: { objectWriteTraceId: [trace] } });
        continue;
      }
      const { record, created } = records.upsert(
        object,
        input.id,
        { ...input.properties, ...(input.associations && { contact: input.associations[0]?.to.id }) },
        (serial) => String(10_000 + serial),
      );
      results.push({
        id: record.id,
        properties: record.fields,
        new: created,
        archived: false,
        objectWriteTraceId: trace,
      });
    }
    return {
      status: errors.length > 0 ? 207 : 200,
      body: {
        status: 'COMPLETE',
        results,
        ...(errors.length > 0 && { numErrors: errors.length, errors }),
        startedAt: '2026-01-01T00:00:00Z',
        completedAt: '2026-01-01T00:00:00Z',
      },
    };
  };

  /** Deletes a contact for good, and what was logged with it. */
  const purge = (body: string): SandboxAnswer => {
    const { objectId, idProperty } = Purge.parse(JSON.parse(body));
    const contact =
      idProperty === undefined
        ? records.byId('contacts', objectId)
        : records.find('contacts', ({ fields }) => fields[idProperty] === objectId);
    if (contact === undefined) return refusal(404, 'OBJECT_NOT_FOUND', `No contact with ${objectId}`);
    for (const object of Object.keys(associationTypes))
      for (const { key, fields } of records.of(object))
        if (fields['contact'] === contact.id) records.remove(object, key);
    records.remove('contacts', contact.key);
    return { status: 204, body: '' };
  };

  const read = (object: string, body: string): SandboxAnswer => {
    const parsed = Named.safeParse(JSON.parse(body));
    if (!parsed.success || parsed.data.inputs.length > 100)
      return refusal(400, 'VALIDATION_ERROR', 'Invalid input JSON, or more than 100 inputs');
    const { idProperty = '', inputs } = parsed.data;
    const found = inputs.flatMap(({ id }) => records.byKey(object, id) ?? []);
    const lost = inputs.filter(({ id }) => records.byKey(object, id) === undefined).map(({ id }) => id);
    return {
      status: lost.length > 0 ? 207 : 200,
      body: {
        status: 'COMPLETE',
        results: found.map(({ id, fields }) => ({ id, properties: { [idProperty]: fields[idProperty] } })),
        ...(lost.length > 0 && {
          numErrors: 1,
          errors: [
            {
              status: 'error',
              category: 'OBJECT_NOT_FOUND',
              message: 'Could not get some objects, they may be deleted or not exist.',
              context: { ids: lost },
            },
          ],
        }),
      },
    };
  };

  const archive = (object: string, body: string): SandboxAnswer => {
    const parsed = Named.safeParse(JSON.parse(body));
    if (!parsed.success || parsed.data.inputs.length > 100)
      return refusal(400, 'VALIDATION_ERROR', 'Invalid input JSON, or more than 100 inputs');
    for (const { id } of parsed.data.inputs) {
      const record = records.byId(object, id);
      if (record) records.remove(object, record.key);
    }
    return { status: 204, body: '' };
  };

  const answer = (request: SandboxRequest): SandboxAnswer => {
    if (request.path === '/') return { status: 200, body: records.page('HubSpot sandbox') };
    state.calls++;
    if (state.fault)
      return refusal(
        state.fault.status,
        state.fault.category,
        'The sandbox refuses every request.',
        state.fault.retryAfter === undefined ? {} : { 'retry-after': String(state.fault.retryAfter) },
      );
    if (request.headers['authorization'] !== `Bearer ${hubspotToken}`)
      return refusal(401, 'INVALID_AUTHENTICATION', 'Authentication credentials not found.');
    if (request.method === 'POST' && request.path === '/crm/v3/objects/contacts/gdpr-delete')
      return purge(request.body);
    const [, of, verb] = /^\/crm\/objects\/[\w-]+\/(\w+)\/batch\/(read|archive)$/u.exec(request.path) ?? [];
    if (of !== undefined && request.method === 'POST')
      return verb === 'read' ? read(of, request.body) : archive(of, request.body);
    const [, object] = /^\/crm\/objects\/[\w-]+\/(\w+)\/batch\/upsert$/u.exec(request.path) ?? [];
    return object !== undefined && request.method === 'POST'
      ? upsert(object, request.body)
      : refusal(404, 'OBJECT_NOT_FOUND', `Unable to find ${request.method} ${request.path}`);
  };

  const listening = await serve(answer, port);
  return {
    ...listening,
    records,
    calls: () => state.calls,
    fail: (fault) => {
      state.fault = fault;
    },
  };
};
