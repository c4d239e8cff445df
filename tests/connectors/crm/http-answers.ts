/** What CRMs without a connector of their own answer, and the rules by which a mapping understands them. */
export interface KnownAnswer {
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What the rules of the CRM make of it; `ok` where it is a success. */
  readonly is: 'ok' | `${'record' | 'object' | 'connection'} ${string}`;
  readonly afterSeconds?: number;
  /** Whether the request named one record by its id. */
  readonly isOfRecord?: boolean;
}

export interface KnownCrm {
  readonly errors: readonly object[];
  readonly answers: readonly KnownAnswer[];
}

const zendesk: KnownCrm = {
  errors: [
    {
      when: {
        status: [400, 422],
        body: { error: ['RecordInvalid'], details: { email: { error: ['DuplicateValue'] } } },
      },
      ...{ scope: 'record', why: 'taken', says: 'another user has this address' },
    },
    {
      when: { status: [400, 422], body: { error: ['RecordInvalid'] } },
      ...{ scope: 'record', why: 'invalid' },
    },
    { when: { status: [400], body: { error: ['ParameterMissing'] } }, scope: 'object', why: 'setup' },
    { when: { status: [404], body: { error: ['InvalidEndpoint'] } }, scope: 'object', why: 'setup' },
  ],
  answers: [
    {
      ...{ name: 'duplicate', status: 422, is: 'record taken' },
      body: {
        error: 'RecordInvalid',
        details: { email: [{ description: 'Email: x is taken', error: 'DuplicateValue' }] },
      },
    },
    {
      ...{ name: 'record validation', status: 422, is: 'record invalid' },
      body: {
        error: 'RecordInvalid',
        description: 'Record validation errors',
        details: { email: [{ error: 'InvalidFormat' }], name: [{ error: 'BlankValue' }] },
      },
    },
    {
      ...{ name: 'forbidden', status: 403, is: 'object setup' },
      body: { error: { title: 'Forbidden', message: 'You do not have access to this page.' } },
    },
    {
      ...{ name: 'unknown endpoint', status: 404, isOfRecord: true, is: 'object setup' },
      body: { error: 'InvalidEndpoint', description: 'Not found' },
    },
    {
      ...{ name: 'missing parameter', status: 400, is: 'object setup' },
      body: { error: 'ParameterMissing', description: 'Parameter brands is required' },
    },
    {
      ...{ name: 'server error', status: 500, is: 'connection down' },
      body: { status: 500, error: 'Internal Server Error' },
    },
  ],
};

const dynamics: KnownCrm = {
  errors: [
    { when: { status: [412], body: { error: { code: ['0x80060892'] } } }, scope: 'record', why: 'taken' },
    {
      when: { status: [404], body: { error: { code: ['BadRequest_ResourceNotFound'] } } },
      scope: 'object',
      why: 'setup',
    },
  ],
  answers: [
    {
      ...{
        name: 'requests throttled',
        status: 429,
        headers: { 'retry-after': '12' },
        is: 'connection throttled',
      },
      ...{
        afterSeconds: 12,
        body: { error: { code: '0x80072322', message: 'Number of requests exceeded the limit.' } },
      },
    },
    {
      ...{
        name: 'concurrency throttled',
        status: 429,
        headers: { 'retry-after': '5' },
        is: 'connection throttled',
      },
      ...{
        afterSeconds: 5,
        body: { error: { code: '0x80072326', message: 'Number of concurrent requests exceeded.' } },
      },
    },
    {
      ...{ name: 'alternate key violated', status: 412, is: 'record taken' },
      body: { error: { code: '0x80060892', message: 'Entity Key Hub Id violated.' } },
    },
    {
      ...{ name: 'resource not found', status: 404, isOfRecord: true, is: 'object setup' },
      body: {
        error: {
          code: 'BadRequest_ResourceNotFound',
          message: "Resource not found for the segment 'contact'.",
        },
      },
    },
  ],
};

const pipedrive: KnownCrm = {
  errors: [
    {
      when: { status: [403], body: { error: ['Scope and URL mismatch'] } },
      scope: 'connection',
      why: 'setup',
    },
  ],
  answers: [
    {
      ...{ name: 'scope mismatch', status: 403, is: 'connection setup' },
      body: { success: false, error: 'Scope and URL mismatch', errorCode: 403 },
    },
  ],
};

const requestTracker: KnownCrm = {
  errors: [
    { when: { status: [400], body: { message: ['Name in use'] } }, scope: 'record', why: 'taken' },
    {
      when: {
        status: [403],
        body: { message: [{ prefix: 'No permission to create tickets in the queue' }] },
      },
      ...{ scope: 'object', why: 'setup', says: 'the queue does not exist, or the user may not use it' },
    },
  ],
  answers: [
    { name: 'ticket created', status: 201, is: 'ok', body: { type: 'ticket', id: '1' } },
    { name: 'user exists', status: 400, is: 'record taken', body: { message: 'Name in use' } },
    { name: 'etag mismatch', status: 412, is: 'record raced', body: { message: 'Precondition Failed' } },
    {
      ...{ name: 'unknown queue', status: 403, is: 'object setup' },
      body: { message: "No permission to create tickets in the queue 'Nope'" },
    },
    { name: 'not found', status: 404, isOfRecord: true, is: 'record gone', body: { message: 'Not Found' } },
    { name: 'unauthorized', status: 401, is: 'connection setup', body: { message: 'Unauthorized' } },
  ],
};

/** Tryton's answers; its rules are those of docs/examples/tryton.yaml. */
export const trytonAnswers: readonly KnownAnswer[] = [
  { name: 'created', status: 200, is: 'ok', body: { id: 2, result: [1] } },
  {
    ...{ name: 'code taken', status: 200, is: 'record raced' },
    body: { id: 4, error: ['UserError', ['The code on party must be unique.', '', null]] },
  },
  {
    ...{ name: 'stale write', status: 200, is: 'record raced' },
    body: { id: 7, error: ['ConcurrencyException', 'Records were modified in the meanwhile'] },
  },
  { name: 'unknown field', status: 200, is: 'object setup', body: { id: 5, error: ["'nope'", ''] } },
  {
    ...{ name: 'deleted', status: 200, is: 'record gone' },
    body: {
      id: 1,
      error: [
        'UserError',
        ['You are trying to write to records "1" of "Party" that don\'t exist anymore.', '', null],
      ],
    },
  },
];

export const knownCrms: Readonly<Record<string, KnownCrm>> = { zendesk, dynamics, pipedrive, requestTracker };
