import * as z from 'zod';
import { Duration } from '../../config/duration.ts';
import { liquidEngine, liquidMessage } from '../../formats/liquid.ts';
import { parsePattern } from '../../triggers/pattern/index.ts';
import type { Scope, Why } from '../fault.ts';

const liquid = liquidEngine({ medium: 'text', missing: 'empty' });

const isTemplate = (text: string): boolean => /\{\{|\{%/u.test(text);

/** The text of a Liquid template; one without tags is a constant. */
const Template = z.string().superRefine((text, { addIssue }) => {
  try {
    liquid.parse(text);
  } catch (error) {
    addIssue({ code: 'custom', message: liquidMessage(error) });
  }
});

/** A place in an answer: a dotted path such as `body.data.0.id`, or a template. */
const Place = z.string().superRefine((text, { addIssue }) => {
  try {
    liquid.parse(isTemplate(text) ? text : `{{ ${text} }}`);
  } catch (error) {
    addIssue({ code: 'custom', message: liquidMessage(error) });
  }
});

const Pattern = z.record(z.string(), z.json()).superRefine((pattern, { addIssue }) => {
  try {
    parsePattern(pattern);
  } catch (error) {
    addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

/** The templates of a JSON body are its texts. */
const Body = z.json().superRefine((body, context) => {
  const walk = (node: unknown): void => {
    if (typeof node === 'string') {
      const read = Template.safeParse(node);
      if (!read.success)
        context.addIssue({ code: 'custom', message: read.error.issues[0]?.message ?? 'invalid template' });
    } else if (typeof node === 'object' && node !== null)
      for (const child of Object.values(node)) walk(child);
  };
  walk(body);
});

const Host = z.string().refine(
  (text) => {
    if (/^http:\/\/127\.0\.0\.1:\d{2,5}$/u.test(text)) return true;
    return /^https:\/\/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9](?::\d{2,5})?$/u.test(
      text,
    );
  },
  { error: 'expected https:// and the full name of the host, without a path' },
);

const Line = z
  .string()
  .regex(
    /^(?:GET|POST|PUT|PATCH|DELETE) \/[^?#]*$/u,
    'expected a method and a path, such as PUT /people/{{ record.key }}; what follows a ? belongs into `query`',
  )
  .pipe(Template);

const shape = {
  /** The method and the path. */
  request: Line,
  /** The names are templates too. */
  query: z.record(Template, Template).optional(),
  headers: z.record(z.string(), Template).optional(),
  json: Body.optional(),
  form: z.record(z.string(), Template).optional(),
};

/** One body at most. */
const hasOneBody = ({ json, form }: { json?: unknown; form?: unknown }): boolean =>
  json === undefined || form === undefined;
const oneBody = { error: 'expected one of json and form' };

/** How many records, ids or values one request takes. */
const Batch = z.int().min(1).max(1000).default(1);

/** A request that writes records. `id`: where the CRM's id is; in a batch without `rows` a list, in the order of the records. */
const Writing = z
  .strictObject({
    ...shape,
    batch: Batch,
    success: Pattern.optional(),
    id: Place.optional(),
    /** The list of the answers for each record, in their order, each judged by the rules as `row`. */
    rows: Place.optional(),
  })
  .refine(hasOneBody, oneBody);

/** A request whose answer has records. */
const Reading = z
  .strictObject({ ...shape, batch: Batch, success: Pattern.optional(), records: Place })
  .refine(hasOneBody, oneBody);

const Listing = z
  .strictObject({ ...shape, success: Pattern.optional(), records: Place, next: Place.optional() })
  .refine(hasOneBody, oneBody);

const Removing = z
  .strictObject({
    ...shape,
    success: Pattern.optional(),
    /** Whether the request names the hub's key, or the CRM's id, which is looked up first. */
    by: z.enum(['id', 'key']).default('id'),
  })
  .refine(hasOneBody, oneBody);

const ObjectSection = z
  .strictObject({
    /** How a record of an answer is read. */
    record: z
      .strictObject({
        id: Place.default('id'),
        emails: Place.optional(),
        phones: Place.optional(),
        /** The id of the contact to which a record belongs. */
        contact: Place.optional(),
        createdAt: Place.optional(),
        modifiedAt: Place.optional(),
        /** Whether staff or an import made a record; a pattern over it, or the same for all. */
        staff: z.union([z.boolean(), Pattern]).default(false),
        /** A pattern over a record that is not in use any more: it counts as deleted. */
        gone: Pattern.optional(),
        /** Fields that are not members of the record by their own names. */
        fields: z.record(z.string(), Place).default({}),
      })
      .prefault({}),
    find: z
      .strictObject({ field: Reading.optional(), email: Reading.optional(), phone: Reading.optional() })
      .default({}),
    read: Reading.optional(),
    list: Listing.optional(),
    /** The records that changed after `since`. */
    changes: Listing.optional(),
    create: Writing.optional(),
    update: Writing.optional(),
    upsert: Writing.optional(),
    remove: Removing.optional(),
    /** Whether the CRM itself refuses a second record with the same key. */
    unique: z.boolean().default(true),
  })
  .refine(
    ({ upsert, create, find, changes }) =>
      upsert !== undefined || (create === undefined ? changes !== undefined : find.field !== undefined),
    {
      error:
        'expected upsert, or create with find.field; or changes alone, for an object that is only followed',
    },
  )
  .refine(({ changes, record }) => changes === undefined || record.modifiedAt !== undefined, {
    error: 'changes needs record.modifiedAt, by which the hub knows how far it has read',
  })
  .refine(({ unique, remove, upsert }) => unique || upsert !== undefined || remove !== undefined, {
    error: 'unique: false needs remove, by which the second of two equal records is deleted',
  });

const scopes = ['record', 'object', 'connection'] as const satisfies readonly Scope[];
const whys = [
  'raced',
  'gone',
  'taken',
  'invalid',
  'setup',
  'throttled',
  'down',
] as const satisfies readonly Why[];

const Rule = z.strictObject({
  /** A pattern over { status, headers, body }, and of one record of a batch { row }. */
  when: Pattern,
  scope: z.enum(scopes),
  why: z.enum(whys),
  /** What a person should know and do, in the author's words. */
  says: z.string().max(500).optional(),
  /** Where the answer names the records that hold the value already, or the one into which this one was merged. */
  records: Place.optional(),
  field: Place.optional(),
  /** Where the answer says after how many seconds to come again; default: its header Retry-After. */
  after: Place.optional(),
});

const Budget = z.string().transform((text, { addIssue }) => {
  const [, calls, window = ''] = /^(\d{1,6}) per (\S+)$/u.exec(text.trim()) ?? [];
  const length = Duration.safeParse(window);
  if (calls !== undefined && length.success && length.data >= 1000)
    return { calls: Number(calls), seconds: length.data / 1000 };
  addIssue({ code: 'custom', message: 'expected a number of calls such as 10 per 1s' });
  return z.NEVER;
});

/** The section `http` of `mappings/crm/<crm>.yaml`: how a CRM without a connector of its own is spoken to. */
export const HttpSection = z.strictObject({
  /** The only host that gets a request. http://127.0.0.1:<port> is for the local runtime. */
  host: Host,
  /** Sent with every request. */
  headers: z.record(z.string(), Template).default({}),
  auth: z
    .union([
      z.strictObject({ bearer: Template }),
      z.strictObject({ basic: z.strictObject({ user: Template, password: Template }) }),
    ])
    .optional(),
  sign: z.strictObject({ standardWebhooks: Template }).optional(),
  /** The header that carries one key for every try of the same creation. */
  idempotencyKey: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]*$/u, 'expected the name of a header')
    .optional(),
  login: z
    .strictObject({
      ...shape,
      success: Pattern.optional(),
      /** Where the answer has the token, which is `token` in the templates of the other requests. */
      token: Place,
      /** By which answers the CRM says that the token has expired. */
      expired: Pattern.default({ status: [401] }),
    })
    .refine(hasOneBody, oneBody)
    .optional(),
  budget: Budget.prefault('10 per 1s'),
  success: Pattern.default({ status: [{ numeric: ['>=', 200, '<', 300] }] }),
  errors: z.array(Rule).max(100).default([]),
  /** The data that the CRM retains of deleted records, and for how long. */
  keeps: z.array(z.string()).default([]),
  objects: z.record(z.string(), ObjectSection),
});
export type HttpSection = z.infer<typeof HttpSection>;
export type HttpObject = z.infer<typeof ObjectSection>;
export type HttpRule = z.infer<typeof Rule>;
export type HttpWriting = z.infer<typeof Writing>;
export type HttpReading = z.infer<typeof Reading>;
export type HttpRequest = Pick<HttpReading, 'request' | 'query' | 'headers' | 'json' | 'form'>;
