/**
 * HubSpot as its documentation (developers.hubspot.com/docs), its published models and recorded answers have it. What
 * surprises most: a batch fails as a whole unless every input has an `objectWriteTraceId`; a merge makes a third record;
 * and `batch/upsert` takes no associations.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Fields, Sandbox, SandboxOptions } from '../protocol/sandbox.ts';
import { type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';
import { Faults, type HubspotFault } from './access/faults.ts';
import { Limits, professional, type RateLimits } from './access/limits.ts';
import { type AppCredentials, OAuth } from './access/oauth.ts';
import { allScopes } from './access/scopes.ts';
import { Account, type Write } from './account/account.ts';
import { objectType } from './account/object-types.ts';
import { optionsOf } from './account/properties.ts';
import { api } from './api.ts';
import { control } from './control.ts';
import { type HubspotStaff, heldRecord, seedRecord, staffOf } from './staff.ts';
import { type Webhook, type WebhookSettings, Webhooks } from './webhooks.ts';

/** A property that an administrator added. */
interface CustomProperty {
  readonly object: string;
  readonly name: string;
  /** Default `string`. */
  readonly type?: 'string' | 'number' | 'date' | 'datetime' | 'bool' | 'enumeration';
  readonly options?: readonly string[];
  readonly unique?: boolean;
}

export interface HubspotOptions extends SandboxOptions<Webhook> {
  /** Where webhooks go and what signs them; default an address that does not exist. */
  readonly webhook?: WebhookSettings;
  readonly customProperties?: readonly CustomProperty[];
  /** Default those of a private app in a Professional account. */
  readonly limits?: Partial<RateLimits>;
  /** What tokens may do; default everything. */
  readonly scopes?: readonly string[];
  /** Whether a merged record keeps the id of the primary one, as in HubSpot's beta; default a new id. */
  readonly keepsPrimaryId?: boolean;
  /** The id of the account, if it is not to be that of all sandboxes. */
  readonly portalId?: number;
  /** How long an answer takes under the fault `slow`, in milliseconds; default 3,000. */
  readonly slowness?: number;
}

export interface HubspotSandbox extends Sandbox {
  readonly staff: HubspotStaff;
  /** What an app needs to get access tokens; `secret` has the token of a private app. */
  readonly oauth: AppCredentials;
  fault(fault: HubspotFault): () => void;
  /** The ids of the records of `toObject` that are associated with a record. */
  associated(object: string, id: string, toObject: string): readonly string[];
}

const PORTAL_ID = 44_237_313;
const ACCESS_TOKEN = 'pat-na1-5a4db0c5-ee00-4000-8000-000000000001';

/** A HubSpot account on this machine, with a server for its API. */
export const hubspotSandbox = async (
  db: DatabaseSync,
  options: HubspotOptions = {},
): Promise<HubspotSandbox> => {
  const { now = Date.now, report, scopes = allScopes } = options;
  const account = new Account(db, now, options.keepsPrimaryId ?? false, options.portalId ?? PORTAL_ID);
  const faults = new Faults();
  const oauth = new OAuth(account, scopes, ACCESS_TOKEN);
  const webhooks = new Webhooks(
    account,
    options.webhook ?? { url: 'https://hub.invalid/hubspot', clientSecret: oauth.credentials.clientSecret },
  );
  const write: Write = (work) => {
    const reports: Webhook[] = [];
    try {
      return inTransaction(db, () => {
        try {
          return work();
        } finally {
          reports.push(...webhooks.of(account.takeChanges()));
        }
      });
    } finally {
      for (const webhook of reports) report?.(webhook);
    }
  };
  addProperties(account, options.customProperties ?? []);
  const seed = (object: string, fields: Fields): string => write(() => seedRecord(account, object, fields));
  const fault = (started: HubspotFault): (() => void) => {
    if (started.kind === 'expired-session') oauth.expire();
    return faults.start(started);
  };
  const staff = staffOf(account, write);
  const counts = new Map<string, number>();
  const answerApi = api({
    account,
    faults,
    limits: new Limits(now, { ...professional, ...options.limits }),
    oauth,
    accessToken: ACCESS_TOKEN,
    scopes,
    slowness: options.slowness ?? 3_000,
    write,
  });
  const answer = (request: SandboxRequest): SandboxAnswer | Promise<SandboxAnswer> => {
    if (request.path === '/') return { status: 200, body: account.records.page('HubSpot sandbox') };
    const controlled = control({ fault, clearFaults: () => faults.clear(), seed, staff }, request);
    if (controlled) return controlled;
    const call = `${request.method} ${request.path}`;
    if (!request.path.startsWith('/oauth/')) counts.set(call, (counts.get(call) ?? 0) + 1);
    return answerApi(request);
  };
  const { url, stop } = await serve(answer, options.port);
  return {
    url,
    stop,
    secret: { accessToken: ACCESS_TOKEN, baseUrl: url },
    oauth: oauth.credentials,
    objects: () => account.records.objects(),
    records: (object) => account.records.list(objectType(object).name).map(heldRecord),
    seed,
    staff,
    fault,
    requests: (part = '') =>
      [...counts].reduce((sum, [call, count]) => (call.includes(part) ? sum + count : sum), 0),
    associated: (object, id, toObject) =>
      account.associations
        .of({ object: objectType(object).name, id }, objectType(toObject).name)
        .filter((other) => account.records.get(objectType(toObject).name, other.id))
        .map((other) => other.id),
  };
};

const FIELD_TYPES = {
  string: 'text',
  number: 'number',
  date: 'date',
  datetime: 'date',
  bool: 'booleancheckbox',
  enumeration: 'select',
} as const;

const addProperties = (account: Account, properties: readonly CustomProperty[]): void => {
  for (const { object, name, type = 'string', options = [], unique = false } of properties)
    account.properties.put(objectType(object), {
      name,
      label: name,
      type,
      fieldType: FIELD_TYPES[type],
      description: '',
      groupName: `${objectType(object).singular}information`,
      options: optionsOf(type === 'bool' ? ['true', 'false'] : options),
      hasUniqueValue: unique,
      readOnly: false,
      hubspotDefined: false,
    });
};

/** One transaction, unless the caller already has one. */
const inTransaction = <Result>(db: DatabaseSync, work: () => Result): Result => {
  if (db.isTransaction) return work();
  db.exec('BEGIN');
  try {
    return work();
  } finally {
    db.exec('COMMIT');
  }
};
