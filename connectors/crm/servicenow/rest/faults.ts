import * as z from 'zod';
import { CrmFault } from '../../../../core/crm/fault.ts';
import type { Answer } from './http.ts';

const Refusal = z.looseObject({
  error: z.looseObject({ message: z.string().nullish(), detail: z.string().nullish() }),
});

/** An answer, or the part of an answer to one request of a batch. */
export type Part = Pick<Answer, 'status' | 'body'> & Partial<Answer>;

const MAPPING = 'mappings/crm/servicenow.yaml';
/** What a rule that does not say when it ends is waited for. */
const PAUSE_SECONDS = 60;

const secondsOf = (value: string | undefined): number | undefined => {
  const seconds = Number(value);
  return seconds > 0 ? Math.ceil(seconds) : undefined;
};

/** An answer that is not of the API: a page of HTML, a redirection, a server error. */
export const odd = ({ status, headers = {} }: Partial<Answer> & { status: number }): CrmFault =>
  new CrmFault(
    'unavailable-crm',
    `ServiceNow answered ${status} with something that is not of its API, as an instance does that hibernates or is being upgraded. If it lasts, wake the instance, and check instanceUrl in the secret.`,
    { scope: 'connection', why: 'down', afterSeconds: secondsOf(headers['retry-after']) },
  );

export const throttled = ({ headers = {} }: Partial<Answer>): CrmFault =>
  new CrmFault(
    'servicenow-rate-limit',
    'A rate limit rule of ServiceNow accepts no more requests for some time. If it happens often, raise the limit (System Web Services, Rate Limit Rules).',
    {
      ...{ scope: 'connection', why: 'throttled' },
      afterSeconds: secondsOf(headers['retry-after']) ?? PAUSE_SECONDS,
    },
  );

const unauthorized = (): CrmFault =>
  new CrmFault(
    'servicenow-unauthorized',
    'ServiceNow did not accept the login. Check the secret, and that the user of the hub is active, not locked out, and may use web services.',
    { scope: 'connection', why: 'setup' },
  );

const ofTable = (code: `servicenow-${string}`, says: string): CrmFault =>
  new CrmFault(code, says, { scope: 'object', why: 'setup' });

const ofRecord = (
  code: `servicenow-${string}`,
  why: 'raced' | 'gone' | 'taken' | 'invalid',
  says: string,
  field?: string,
): CrmFault => new CrmFault(code, says, { scope: 'record', why, field });

/** A value that only one record may hold is held already; which one is not said. */
export const UNIQUE_KEY = 'servicenow-unique-key';

/** The label of a mandatory field is its `field`. The texts of refusals hold values of records, so that only names of tables are taken from them. */
const refused = (detail: string, table: string): CrmFault | undefined => {
  if (/data policy/iu.test(detail))
    return ofRecord(
      'servicenow-data-policy',
      'invalid',
      `A data policy of ServiceNow refused a record of ${table}, for example because a mandatory field has no value. Map a value to it in ${MAPPING}, or change the policy.`,
      /mandatory: ([^,]+)/u.exec(detail)?.[1]?.trim(),
    );
  if (/business rule/iu.test(detail))
    return ofRecord(
      'servicenow-business-rule',
      'invalid',
      `A business rule of ServiceNow refused a record of ${table}. Correct the record or the rule, then replay.`,
    );
  if (/unique key|duplicate|error during (?:insert|update)/iu.test(detail))
    return ofRecord(
      UNIQUE_KEY,
      'taken',
      `ServiceNow refused a record of ${table}, because another one holds a value that must be unique. Decide in ServiceNow which record keeps it.`,
    );
  return undefined;
};

const forbidden = (table: string): CrmFault =>
  ofTable(
    'servicenow-forbidden',
    `The user of the hub may not do this with the table ${table}. In ServiceNow give it a role that may (an access control, ACL, of the table decides), or change ${MAPPING}.`,
  );

/** The fault of a row that an import answered with `status`, for the reason `text`, and without a record. */
export const refusedByImport = (
  text: string,
  { table, object }: { readonly table: string; readonly object: string },
  status: string,
): CrmFault => {
  if (status !== 'error' || /no transform (?:entry|map)/iu.test(text))
    return ofTable(
      'servicenow-import-set',
      `The transform map of ${table} made no record of ${object} from a row: the map is missing, is not active, leads to another table, or skips the key of the hub. \`hub doctor\` says what it must have.`,
    );
  return (
    refused(text, object) ??
    ofRecord(
      'servicenow-import-row',
      'invalid',
      `The transform map of ${table} could not write a record of ${object}. Look at the row in ServiceNow (open ${table}, state Error) for the reason, correct it or the map, then replay.`,
    )
  );
};

const ofServer = (part: Part, text: string): CrmFault =>
  /transaction cancelled|maximum execution time|lock/iu.test(text)
    ? ofRecord(
        'servicenow-transaction-cancelled',
        'raced',
        'ServiceNow cancelled the transaction, because it took too long or met another one. It is tried again.',
      )
    : odd(part);

/** The fault of an answer about `table`; undefined if it was accepted. */
export const faultOf = (part: Part, table: string): CrmFault | undefined => {
  const { status, body } = part;
  if (status === 204 || (status < 300 && body !== undefined)) return undefined;
  const refusal = Refusal.safeParse(body).data?.error;
  const message = refusal?.message ?? '';
  const detail = refusal?.detail ?? '';
  if (status === 429) return throttled(part);
  if (status === 401) return unauthorized();
  if (refusal === undefined) return odd(part);
  if (status >= 500) return ofServer(part, `${message} ${detail}`);
  if (status === 403) return refused(`${message} ${detail}`, table) ?? forbidden(table);
  if (/^invalid table/iu.test(message))
    return ofTable(
      'servicenow-invalid-table',
      `ServiceNow has no table ${table}. Activate the plugin that brings it, or correct ${MAPPING}.`,
    );
  if (status === 404 && /record/iu.test(`${message} ${detail}`))
    return ofRecord('servicenow-not-found', 'gone', `The record of ${table} was deleted in ServiceNow.`);
  if (status === 404)
    return new CrmFault(
      'servicenow-not-found',
      'ServiceNow has no such resource. Check instanceUrl in the secret.',
      { scope: 'connection', why: 'setup' },
    );
  return ofRecord(
    'servicenow-bad-request',
    'invalid',
    `ServiceNow refused a record of ${table} with ${status}. Correct the value or ${MAPPING}, then replay.`,
  );
};

export const unknownField = (table: string, field: string): CrmFault =>
  new CrmFault(
    'servicenow-unknown-field',
    `ServiceNow shows no field ${field} on the table ${table}. Create it, let the user of the hub read and write it, or remove it from ${MAPPING}.`,
    { scope: 'object', why: 'setup', field },
  );
