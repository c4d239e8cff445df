import * as z from 'zod';
import { CrmFault, type Scope, type Why } from '../../../../core/crm/fault.ts';
import { entryOf } from '../../../../core/formats/payload.ts';
import type { Answer } from './http.ts';

const Match = z.looseObject({ record: z.looseObject({ Id: z.string() }).nullish() });
const Duplicates = z.looseObject({
  matchResults: z.array(z.looseObject({ matchRecords: z.array(Match).nullish() })).nullish(),
});

/** One error of a row (`statusCode`) or of a request (`errorCode`). */
const Refusal = z.looseObject({
  statusCode: z.string().optional(),
  errorCode: z.string().optional(),
  message: z.string().nullish(),
  fields: z.array(z.string()).nullish(),
  duplicateResult: Duplicates.nullish(),
  // Some releases of the API spell it so.
  duplicateResut: Duplicates.nullish(),
});
export type Refusal = z.infer<typeof Refusal>;

export const RowRefusals = z.array(Refusal).default([]);

/** What was asked of Salesforce, as far as the meaning of a refusal depends on it. */
export interface Asked {
  readonly keyField?: string;
  /** Salesforce's id of the record, if it was written by that. */
  readonly id?: string | undefined;
  readonly links?: readonly string[];
}

type Kind = readonly [scope: Scope, why: Why, advice?: string];

const MAPPING = 'mappings/crm/salesforce.yaml';
const BUSY: Kind = ['record', 'raced'];
const DOWN: Kind = ['connection', 'down'];
const GRANT: Kind = [
  'object',
  'setup',
  'Grant the permission to the integration user, or change the mapping.',
];

const kinds: Readonly<Record<string, Kind>> = {
  UNABLE_TO_LOCK_ROW: BUSY,
  ALL_OR_NONE_OPERATION_ROLLED_BACK: BUSY,
  PROCESSING_HALTED: BUSY,
  DUPLICATE_VALUE: ['record', 'taken', 'Decide in Salesforce which record keeps the value.'],
  DUPLICATE_EXTERNAL_ID: ['record', 'taken', 'Several records have this key: merge them in Salesforce.'],
  DUPLICATES_DETECTED: [
    'record',
    'taken',
    'A duplicate rule of the org refused the record. Decide in Salesforce which record is right.',
  ],
  MULTIPLE_CHOICES: ['record', 'taken', 'Several records have this key: merge them in Salesforce.'],
  ENTITY_IS_DELETED: ['record', 'gone'],
  NOT_FOUND: ['record', 'gone'],
  INVALID_CROSS_REFERENCE_KEY: ['record', 'gone'],
  CANNOT_UPDATE_CONVERTED_LEAD: ['record', 'gone', 'The lead became a contact.'],
  ENTITY_IS_LOCKED: ['record', 'invalid', 'The record is locked in Salesforce, for example by an approval.'],
  STRING_TOO_LONG: ['record', 'invalid', `Add a truncate transform in ${MAPPING}.`],
  REQUIRED_FIELD_MISSING: ['record', 'invalid', `Map a value to the field in ${MAPPING}.`],
  INVALID_FIELD: [
    'object',
    'setup',
    `Create the field in Salesforce, let the integration user see it, or remove it from ${MAPPING}.`,
  ],
  INVALID_FIELD_FOR_INSERT_UPDATE: [
    'object',
    'setup',
    `The integration user may not write this field. Grant the permission or remove the field from ${MAPPING}.`,
  ],
  INVALID_TYPE: [
    'object',
    'setup',
    `The org has no such object, or the integration user may not see it. Grant the permission or correct ${MAPPING}.`,
  ],
  INVALID_TYPE_FOR_OPERATION: GRANT,
  INSUFFICIENT_ACCESS: GRANT,
  INSUFFICIENT_ACCESS_OR_READONLY: GRANT,
  INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: GRANT,
  CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: [
    'record',
    'invalid',
    'Automation of the org (Apex, flow) refused the record.',
  ],
  MALFORMED_QUERY: ['object', 'setup', `Correct the names of the fields in ${MAPPING}.`],
  INVALID_QUERY_FILTER_OPERATOR: [
    'object',
    'setup',
    `The field cannot be searched. Choose another one in ${MAPPING}.`,
  ],
  STORAGE_LIMIT_EXCEEDED: [
    'connection',
    'setup',
    'The data storage of the org is full. Free or buy storage.',
  ],
  API_DISABLED_FOR_ORG: ['connection', 'setup', 'Enable the API for the org and for the integration user.'],
  API_CURRENTLY_DISABLED: ['connection', 'setup', 'Enable the API for the org and for the integration user.'],
  INVALID_SESSION_ID: [
    'connection',
    'setup',
    "Check the connected app and the integration user: permission 'API Enabled', allowed addresses, session policies.",
  ],
  INVALID_LOGIN: ['connection', 'setup', 'Check the secret of Salesforce.'],
  REQUEST_LIMIT_EXCEEDED: [
    'connection',
    'throttled',
    'The API requests of the org are used up. Queued records are retried; if it happens often, buy requests or sync less.',
  ],
  SERVER_UNAVAILABLE: DOWN,
  INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE: DOWN,
};

/** Refusals by which the request, not its records, failed; of a single row they mean that it is to be tried again. */
const passing: ReadonlySet<string> = new Set([
  'UNKNOWN_EXCEPTION',
  'REQUEST_RUNNING_TOO_LONG',
  'QUERY_TIMEOUT',
  'TXN_SECURITY_METERING_ERROR',
]);

/** Messages that name fields, objects and records, but no values; those of validation rules are the admin's own words. */
const withoutValues: ReadonlySet<string> = new Set([
  ...['INVALID_FIELD', 'INVALID_FIELD_FOR_INSERT_UPDATE', 'REQUIRED_FIELD_MISSING', 'UNABLE_TO_LOCK_ROW'],
  ...[
    'FIELD_CUSTOM_VALIDATION_EXCEPTION',
    'REQUEST_LIMIT_EXCEEDED',
    'INVALID_SESSION_ID',
    'ENTITY_IS_DELETED',
  ],
  ...[
    'INSUFFICIENT_ACCESS',
    'INSUFFICIENT_ACCESS_OR_READONLY',
    'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
  ],
  ...['STORAGE_LIMIT_EXCEEDED', 'API_DISABLED_FOR_ORG', 'MISSING_ARGUMENT', 'INVALID_CROSS_REFERENCE_KEY'],
]);

const SALESFORCE_ID = /\b[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?\b/gu;
const HOUR_SECONDS = 3600;
const PAUSE_SECONDS = 900;

export const codeOf = ({ statusCode, errorCode }: Refusal): string =>
  statusCode ?? errorCode ?? 'UNKNOWN_EXCEPTION';

const codeFor = (code: string): `salesforce-${string}` =>
  `salesforce-${code.toLowerCase().replaceAll('_', '-')}`;

const Refusals = z.array(Refusal);
const CodedRefusal = z.looseObject({ errorCode: z.string() }).and(Refusal);

/** The refusals in a body: of a request an array, of a row of a collection its `errors`. */
export const refusalsOf = (body: unknown): readonly Refusal[] => {
  const listed = Refusals.safeParse(body);
  if (listed.success) return listed.data;
  const one = CodedRefusal.safeParse(body);
  return one.success ? [one.data] : [];
};

const kindOf = (code: string, message: string, asked: Asked): Kind => {
  const field = fieldIn(message);
  if (passing.has(code)) return ['record', 'down'];
  if (code === 'DUPLICATE_VALUE' && field !== undefined && field === asked.keyField && asked.id === undefined)
    return ['record', 'raced'];
  if (code === 'INVALID_FIELD' && message.startsWith('Foreign key external ID'))
    return ['record', 'invalid', 'The record that it refers to is not in Salesforce.'];
  if (code.startsWith('INSUFFICIENT_ACCESS') && /\b(?:object id|cross-reference id)\b/u.test(message))
    return [
      'record',
      'setup',
      'The integration user may not write this record, or one that it refers to: check the sharing rules.',
    ];
  return entryOf(kinds, code) ?? ['record', 'invalid'];
};

/** Where a message names the field. */
const fieldIn = (message: string): string | undefined =>
  /(?:No such column '|value found: |Required fields are missing: \[|create\/update fields: |not found for field |External ID field does not exist[^:]{0,80}: )([A-Za-z]\w*)/u.exec(
    message,
  )?.[1];

const recordsIn = (code: string, message: string, { duplicateResult, duplicateResut }: Refusal): string[] => {
  const found = (duplicateResult ?? duplicateResut)?.matchResults ?? [];
  const matched = found.flatMap(({ matchRecords }) =>
    (matchRecords ?? []).flatMap(({ record }) => record?.Id ?? []),
  );
  const named =
    code === 'DUPLICATE_VALUE'
      ? (/record with id: (\w{15,18})/u.exec(message)?.slice(1) ?? [])
      : code === 'DUPLICATE_EXTERNAL_ID'
        ? (/\[([^[\]]*)\]/u.exec(message)?.[1]?.match(SALESFORCE_ID) ?? [])
        : [];
  return [...new Set([...matched, ...named])];
};

/** The link whose record is gone; undefined if it is the record itself. */
const goneLink = (listed: string | undefined, { id, links = [] }: Asked): string | undefined =>
  listed !== undefined && links.includes(listed) ? listed : id === undefined ? links[0] : undefined;

/** What a reference to nothing means: the record or a link is gone, or the value of another field is wrong. */
const ofReference = (listed: string | undefined, asked: Asked): { why: Why; field: string | undefined } => {
  const link = goneLink(listed, asked);
  const isOther = link === undefined && (listed !== undefined || asked.id === undefined);
  return isOther ? { why: 'invalid', field: listed } : { why: 'gone', field: link };
};

/** The fault of a refusal. A link whose record is gone is the `field`; without one, the record itself is gone. */
export const faultOf = (refusal: Refusal, asked: Asked = {}): CrmFault => {
  const code = codeOf(refusal);
  const message = refusal.message ?? '';
  const [scope, usual, advice] = kindOf(code, message, asked);
  const listed = refusal.fields?.find((name) => name !== '') ?? fieldIn(message);
  const { why, field } =
    code === 'INVALID_CROSS_REFERENCE_KEY'
      ? ofReference(listed, asked)
      : { why: usual, field: usual === 'gone' ? goneLink(listed, asked) : listed };
  const length = /max length=\d+/u.exec(message)?.[0];
  const detail = withoutValues.has(code) ? message.trim().slice(0, 300) : length;
  const about = [field, detail].filter((one) => one !== undefined && one !== '').join(': ');
  return new CrmFault(
    codeFor(code),
    `Salesforce refused ${refused[scope]} with ${code}${about === '' ? '' : ` (${about})`}. ${advice ?? defaultAdvice[why]}`,
    {
      ...{ scope, why, field, records: recordsIn(code, message, refusal) },
      afterSeconds: why === 'throttled' ? pauseOf(message) : undefined,
    },
  );
};

const refused: Readonly<Record<Scope, string>> = {
  record: 'a record',
  object: 'the records of an object',
  connection: 'the request',
};

const defaultAdvice: Readonly<Record<Why, string>> = {
  raced: 'It is tried again.',
  gone: 'It was deleted, or merged into another record.',
  taken: 'Decide in Salesforce which record is right.',
  invalid: `Correct the value, the rule in Salesforce, or ${MAPPING}, then replay.`,
  setup: `Correct the cause in Salesforce or in ${MAPPING}, then replay.`,
  throttled: 'Try again later.',
  down: 'Try again later.',
};

/** The allocation is a rolling one of 24 hours, whose end Salesforce does not tell: it is tried again every hour. */
const pauseOf = (message: string): number =>
  message.startsWith('TotalRequests') ? HOUR_SECONDS : PAUSE_SECONDS;

/** Several records with one external id: the answer lists their addresses. */
const choicesOf = (body: unknown): CrmFault => {
  const addresses = z.array(z.string()).safeParse(body).data ?? [];
  return new CrmFault(
    'salesforce-multiple-choices',
    'Salesforce has several records with the same key. Merge them in Salesforce, then replay.',
    { scope: 'record', why: 'taken', records: addresses.map((one) => one.split('/').at(-1) ?? '') },
  );
};

const odd = (status: number, afterSeconds?: number): CrmFault =>
  new CrmFault(
    'unavailable-crm',
    `Salesforce answered ${status} with something that is not of its API. If it lasts, look at https://status.salesforce.com and at loginUrl in the secret.`,
    { scope: 'connection', why: 'down', afterSeconds },
  );

const forbidden = (status: number, code: string): CrmFault =>
  new CrmFault(
    codeFor(code),
    `Salesforce answered ${status} with ${code}. Check the connected app and the permissions of the integration user.`,
    { scope: 'connection', why: 'setup' },
  );

/** The fault of an answer of a whole request or subrequest; undefined if it was accepted. */
export const faultOfAnswer = (
  { status, body, headers = {}, text }: Pick<Answer, 'status' | 'body'> & Partial<Answer>,
  asked?: Asked,
): CrmFault | undefined => {
  const isCsv = headers['content-type']?.startsWith('text/csv') === true;
  if (status === 204 || (status === 201 && text === '') || (status === 200 && isCsv)) return undefined;
  if (status === 300) return choicesOf(body);
  if (status < 300 && body !== undefined) return undefined;
  const [first] = refusalsOf(body);
  const retryAfter = Number(headers['retry-after']);
  if (first === undefined || codeOf(first) === 'UNKNOWN_EXCEPTION')
    return odd(status, retryAfter > 0 ? retryAfter : undefined);
  if (status >= 500 || passing.has(codeOf(first)))
    return new CrmFault(codeFor(codeOf(first)), `Salesforce answered ${status} with ${codeOf(first)}.`, {
      scope: 'connection',
      why: 'down',
      afterSeconds: retryAfter > 0 ? retryAfter : undefined,
    });
  const code = codeOf(first);
  if ((status === 401 || status === 403) && entryOf(kinds, code) === undefined)
    return forbidden(status, code);
  const fault = faultOf(first, asked);
  // A resource that does not exist is a field or an object, not a record: records are not addressed one by one.
  if (code !== 'NOT_FOUND') return fault;
  return new CrmFault(
    fault.code,
    `Salesforce has no such resource${asked?.keyField === undefined ? '' : ` (is ${asked.keyField} an external id that the integration user sees?)`}. Check the object and the key in ${MAPPING}.`,
    {
      ...{ scope: 'object', why: 'setup', field: asked?.keyField },
    },
  );
};
