import * as z from 'zod';
import { CrmFault, type Scope, type Why } from '../../../core/crm/fault.ts';
import { jsonWithin } from '../../../core/formats/payload.ts';

// HubSpot's own sentences quote the values that it refuses, so none of them goes into a reason.

const Context = z.record(z.string(), z.unknown()).catch({}).default({});
const Detail = z.looseObject({
  message: z.string().catch('').default(''),
  code: z.string().optional().catch(undefined),
  context: Context,
});

/** A refusal: the body of an answer, or one entry of `errors` in an answer that accepted other records. */
export const Refusal = z.looseObject({
  category: z.string().optional().catch(undefined),
  message: z.string().catch('').default(''),
  errors: z.array(Detail).catch([]).default([]),
  context: Context,
  objectWriteTraceId: z.string().optional().catch(undefined),
  policyName: z.string().optional().catch(undefined),
  correlationId: z.string().optional().catch(undefined),
  /** HubSpot's login says here which credential is wrong. */
  status: z.string().optional().catch(undefined),
});
export type Refusal = z.infer<typeof Refusal>;

/** A member of a context: HubSpot writes lists of texts, and here and there a single one. */
export const namedIn = (context: Refusal['context'], name: string): readonly string[] =>
  [context[name]]
    .flat()
    .flatMap((one) => (typeof one === 'string' || typeof one === 'number' ? [String(one)] : []));

interface Problem {
  readonly code: string;
  readonly field: string | undefined;
  readonly message: string;
}

const Problems = z.array(
  z.looseObject({
    error: z.string().default(''),
    name: z.string().optional(),
    message: z.string().default(''),
  }),
);
const PROBLEMS = 'Property values were not valid: ';

/** What is wrong with which property: HubSpot lists it in `errors`, or as JSON inside its message. */
const problemsOf = ({ message, errors, context }: Refusal): readonly Problem[] => {
  const within = Problems.safeParse(
    message.startsWith(PROBLEMS) ? jsonWithin(message.slice(PROBLEMS.length)) : [],
  );
  const listed = errors.map(({ code = '', context: of, message: says }) => ({
    code,
    field: namedIn(of, 'propertyName')[0],
    message: says,
  }));
  const worded = (within.data ?? []).map(({ error, name, message: says }) => ({
    code: error,
    field: name,
    message: says,
  }));
  const [field] = namedIn(context, 'propertyName');
  return [...listed, ...worded, ...(field === undefined ? [] : [{ code: '', field, message: '' }])];
};

const isUnknown = ({ code }: Problem): boolean => code === 'PROPERTY_DOESNT_EXIST';
const isReadOnly = ({ code, message }: Problem): boolean =>
  /READ_?ONLY/u.test(code) || /\bread[ -]only\b/iu.test(message);
const isTaken = ({ code, message }: Problem): boolean =>
  code === 'CONFLICTING_UNIQUE_VALUE' || message.endsWith('already has that value.');

const holderIn = (text: string): readonly string[] =>
  [
    /Existing ID: (\d+)/u.exec(text)?.[1],
    /(?<!\d)(\d{1,20}) already has that value/u.exec(text)?.[1],
  ].flatMap((id) => (id === undefined ? [] : [id]));

interface Classified {
  readonly scope: Scope;
  readonly why: Why;
  readonly says: string;
  readonly code?: string;
  readonly field?: string | undefined;
  readonly records?: readonly string[];
  readonly afterSeconds?: number;
}

/** How long a record is locked, by HubSpot's documentation. */
const LOCK_SECONDS = 2;

/** Classifies a refusal of records of an object. `status`: of the answer, if it was refused as a whole. */
export const faultOf = (refusal: Refusal, object: string, status?: number): CrmFault => {
  const { says, code, ...rest } =
    setupOf(refusal, object) ?? conflictOf(refusal, object, status) ?? recordOf(refusal, object, status);
  return fault(code ?? refusal.category ?? `status ${status ?? 'unknown'}`, says, rest, refusal);
};

const setupOf = (refusal: Refusal, object: string): Classified | undefined => {
  const problems = problemsOf(refusal);
  const setup = { scope: 'object', why: 'setup' } as const;
  const unknown = problems.find(isUnknown);
  if (unknown !== undefined) {
    const { code, field } = unknown;
    const says = `HubSpot has no property ${field ?? 'of one of these names'} of ${object}. Create it in HubSpot, or remove it from mappings/crm/hubspot.yaml.`;
    return { ...setup, code, field, says };
  }
  const readOnly = problems.find(isReadOnly);
  if (readOnly !== undefined) {
    const { field } = readOnly;
    const says = `The property ${field ?? ''} of ${object} cannot be written. Remove it from mappings/crm/hubspot.yaml, or give it \`write: crm-owns\`.`;
    return { ...setup, code: 'READ_ONLY_VALUE', field, says };
  }
  if (refusal.message.startsWith('Unable to infer object type')) {
    const says = `HubSpot has no object ${object}. Correct it in mappings/crm/hubspot.yaml.`;
    return { ...setup, code: 'UNKNOWN_OBJECT', says };
  }
  if (/by non-unique\b/u.test(refusal.message)) {
    const field = /\bproperty (\w+)$/u.exec(refusal.message)?.[1];
    const says = `The property ${field ?? 'that is the key'} of ${object} does not have unique values. HubSpot cannot change that: create another property with unique values, and name it as \`key\` in mappings/crm/hubspot.yaml.`;
    return { ...setup, code: 'NON_UNIQUE_KEY', field, says };
  }
  if (refusal.category !== 'MISSING_SCOPES') return undefined;
  const scopes = namedIn(refusal.context, 'requiredGranularScopes').join(', ');
  const says = `The app of the hub may not use ${object}. Give it ${scopes === '' ? 'the scopes of this object' : `one of these scopes: ${scopes}`}, in HubSpot under the settings of the app.`;
  return { ...setup, says };
};

const conflictOf = (refusal: Refusal, object: string, status: number | undefined): Classified | undefined => {
  const problem = problemsOf(refusal).find(isTaken);
  const named = namedIn(refusal.context, 'existingId');
  const isConflict = refusal.category === 'CONFLICT' || status === 409;
  if (problem === undefined && named.length === 0 && !isConflict) return undefined;
  const worded = [...holderIn(refusal.message), ...holderIn(problem?.message ?? '')];
  const records = named.length > 0 ? named : [...new Set(worded)];
  const others = records.length > 0 ? `The record ${records.join(', ')}` : 'Another record';
  return {
    scope: 'record',
    why: 'taken',
    ...(problem !== undefined && { code: 'CONFLICTING_UNIQUE_VALUE', field: problem.field }),
    records,
    says: `${others} of ${object} holds ${problem?.field === undefined ? 'a value' : `the value of ${problem.field}`} that only one may hold.`,
  };
};

const recordOf = (refusal: Refusal, object: string, status: number | undefined): Classified => {
  if (refusal.category === 'OBJECT_NOT_FOUND' || status === 404)
    return { scope: 'record', why: 'gone', says: `The record of ${object} was deleted.` };
  if (refusal.category === 'LOCKED' || status === 423)
    return {
      ...{ scope: 'record', why: 'raced', afterSeconds: LOCK_SECONDS },
      says: `A record of ${object} is locked.`,
    };
  if (refusal.category === 'RATE_LIMITS' || refusal.category === 'INTERNAL_ERROR')
    return { scope: 'record', why: 'raced', says: `HubSpot was too busy to write a record of ${object}.` };
  const problem = problemsOf(refusal).find(({ code, field }) => code !== '' || field !== undefined);
  const subject = problem?.field === undefined ? `A value of ${object}` : `The value of ${problem.field}`;
  return {
    scope: 'record',
    why: 'invalid',
    ...(problem !== undefined && problem.code !== '' && { code: problem.code }),
    field: problem?.field,
    says: `${subject} is not accepted. Correct it, or its rule in mappings/crm/hubspot.yaml, then replay.`,
  };
};

const fault = (
  code: string,
  says: string,
  options: Omit<ConstructorParameters<typeof CrmFault>[2], 'cause'>,
  { correlationId }: Partial<Refusal> = {},
): CrmFault => {
  const name = code.toLowerCase().replaceAll(/[^a-z0-9]+/gu, '-');
  const trace = /^[\w-]{8,64}$/u.test(correlationId ?? '')
    ? ` HubSpot's correlation id: ${correlationId}.`
    : '';
  return new CrmFault(`hubspot-${name}`, `${says}${trace}`, options);
};

/** An answer that does not mention a record: whether it was written is unknown, so it is written again. */
export const unmentioned = (object: string): CrmFault =>
  fault('unmentioned-record', `HubSpot accepted a request but says nothing about this record of ${object}.`, {
    scope: 'record',
    why: 'raced',
  });

/** A setup fault of an object, by the code after `hubspot-`. */
export const setupFault = (code: string, scope: 'object' | 'connection', says: string): CrmFault =>
  fault(code, says, { scope, why: 'setup' });

/** A record that was merged into another one. */
export const mergedInto = (object: string, id: string): CrmFault =>
  fault('merged-record', `The record of ${object} was merged into ${id}.`, {
    scope: 'record',
    why: 'gone',
    records: [id],
  });

/** A refusal of one record that concerns every call of its kind, because the call names no records to write. */
export const ofObject = (one: CrmFault): CrmFault =>
  one.scope === 'record' ? withScope(one, 'object') : one;

const withScope = (one: CrmFault, scope: Scope): CrmFault =>
  new CrmFault(one.code, one.message, {
    scope,
    why: one.why,
    records: one.records,
    field: one.field,
    ...(typeof one.retry === 'object' && { afterSeconds: one.retry.afterSeconds }),
    cause: one,
  });

/** HubSpot did not answer, or something between answered in its place. */
export const down = (says: string, cause?: unknown): CrmFault =>
  new CrmFault('unavailable-crm', says, {
    scope: 'connection',
    why: 'down',
    ...(cause !== undefined && { cause }),
  });

/**
 * The fault of an answer that concerns more than the records of its call; undefined for every other one. `object`: the
 * object that the call was about.
 */
export const callFaultOf = (
  status: number,
  headers: Headers,
  refusal: Refusal,
  object: string | undefined,
): CrmFault | undefined => {
  if (status >= 500) return down(`HubSpot answered ${status}.`);
  if (status === 401)
    return fault(
      refusal.category ?? 'INVALID_AUTHENTICATION',
      'HubSpot does not accept the token of the hub. Store a new one: `accessToken` of the private app, or `refreshToken` of the app that uses OAuth.',
      { scope: 'connection', why: 'setup' },
      refusal,
    );
  if (status === 403) return forbidden(refusal, object);
  if (status === 429 || status === 477) return throttled(status, headers, refusal);
  if (status === 423) return faultOf(refusal, object ?? 'the account', status);
  return undefined;
};

const forbidden = (refusal: Refusal, object: string | undefined): CrmFault => {
  if (refusal.category === 'MISSING_SCOPES') {
    const missing = faultOf(refusal, object ?? 'the account');
    return object === undefined ? withScope(missing, 'connection') : missing;
  }
  const says =
    'HubSpot refuses the app of the hub. Look in HubSpot whether the app is installed and the account is active.';
  return fault(refusal.category ?? 'FORBIDDEN', says, { scope: 'connection', why: 'setup' }, refusal);
};

const HOUR_SECONDS = 3600;

const throttled = (status: number, headers: Headers, refusal: Refusal): CrmFault => {
  const requested = Number(headers.get('retry-after'));
  const afterSeconds = requested > 0 ? requested : pauseOf(status, headers, refusal);
  const says =
    status === 477
      ? 'HubSpot moves the account to another data centre.'
      : refusal.policyName === 'DAILY'
        ? 'The account has used all calls to the API of this day. Look which app uses them, in HubSpot under Settings, Integrations.'
        : 'HubSpot accepts no more calls for a moment.';
  return fault(
    status === 477 ? 'migration' : 'rate-limit',
    says,
    { scope: 'connection', why: 'throttled', afterSeconds },
    refusal,
  );
};

/**
 * HubSpot's day ends at midnight in the time zone of the account, which the answer does not tell: so the hub asks again at
 * each full hour, by HubSpot's clock.
 */
const pauseOf = (status: number, headers: Headers, { policyName }: Refusal): number => {
  if (status === 477) return HOUR_SECONDS;
  if (policyName === 'SECONDLY') return 1;
  if (policyName !== 'DAILY') return 10;
  const seconds = Math.floor(Date.parse(headers.get('date') ?? '') / 1000);
  return Number.isNaN(seconds) ? HOUR_SECONDS : HOUR_SECONDS - (seconds % HOUR_SECONDS);
};
