import type { DatabaseSync } from 'node:sqlite';
import type { Fields, Sandbox, SandboxOptions } from '../protocol/sandbox.ts';
import { type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';
import { Faults, type ServicenowFault } from './access/faults.ts';
import { Gate } from './access/gate.ts';
import { RateLimit } from './access/limits.ts';
import { OAuth, servicenowLogin } from './access/oauth.ts';
import { controlled } from './control.ts';
import { addTransformMap, Imports, type ImportTable, stagingTable } from './data/imports.ts';
import { type DataPolicy, Instance, type Report } from './data/instance.ts';
import type { CustomField } from './schema/schema.ts';
import { seedRecord, staffOf } from './staff.ts';

export interface ServicenowOptions extends SandboxOptions<Report> {
  readonly customFields?: readonly CustomField[];
  /** The staging tables of the Import Set API. */
  readonly importTables?: readonly ImportTable[];
  /** The user as whom transform maps write; default the one who sends the rows. */
  readonly importsRunAs?: string;
  /** After how many milliseconds an asynchronous import is done; default 0, which is before the next request. */
  readonly importDelay?: number;
  readonly dataPolicies?: readonly DataPolicy[];
  /**
   * Whether the administrator has turned on the OAuth grant type client credentials, by the property
   * `glide.oauth.inbound.client.credential.grant_type.enabled`; default true here. On a new instance it is off, and `secret`
   * is then for basic authentication.
   */
  readonly clientCredentials?: boolean;
  /** The requests that a rate limit rule allows in an hour; default no rule. */
  readonly requestsPerHour?: number;
  /** Whether a query with an unknown field finds nothing, and not everything that its other parts find; default false. */
  readonly invalidQueryReturnsNoRows?: boolean;
  /** How long an answer takes under the fault `slow`, in milliseconds; default 3,000. */
  readonly slowness?: number;
}

export interface ServicenowSandbox extends Sandbox {
  /** What a client needs for basic authentication. */
  readonly basicSecret: Readonly<Record<'instanceUrl' | 'username' | 'password', string>>;
  fault(fault: ServicenowFault): () => void;
}

const STAFF = 'abel.tuter';

/** Adds what is not there yet; a sandbox that opens its database again has it. */
const furnish = (instance: Instance, { customFields = [], importTables = [] }: ServicenowOptions): void => {
  for (const field of customFields)
    if (!instance.schema.field(field.table, field.name)) instance.schema.addField(field);
  for (const table of importTables) addTransformMap(instance, { user: 'system' }, table);
  const users = { [servicenowLogin.username]: ['Hub', 'Integration'], [STAFF]: ['Abel', 'Tuter'] };
  for (const [user_name, [first_name, last_name]] of Object.entries(users))
    if (instance.findBy('sys_user', 'user_name', user_name).length === 0)
      seedRecord(instance, 'system', 'sys_user', { user_name, first_name, last_name });
};

const secretsOf = (instanceUrl: string, clientCredentials: boolean) => {
  const { clientId, clientSecret, username, password } = servicenowLogin;
  const basicSecret = { instanceUrl, username, password };
  return { basicSecret, secret: clientCredentials ? { instanceUrl, clientId, clientSecret } : basicSecret };
};

/** A ServiceNow instance with Customer Service Management, as clients see it over REST and as its business rules report writes. */
export const servicenowSandbox = async (
  db: DatabaseSync,
  options: ServicenowOptions = {},
): Promise<ServicenowSandbox> => {
  const { now = Date.now, importTables = [], dataPolicies = [], clientCredentials = true } = options;
  const instance = new Instance({
    ...{
      db,
      now,
      dataPolicies,
      staging: importTables.map(({ table, transformMap }) =>
        stagingTable(table, table, Object.keys(transformMap?.fields ?? {})),
      ),
    },
    report: (report) => options.report?.(report),
  });
  furnish(instance, options);
  const imports = new Imports(instance, importTables, options);
  const faults = new Faults();
  const oauth = new OAuth(now, clientCredentials);
  const gate = new Gate({
    ...{ instance, imports, faults, oauth, url: () => listening.url },
    limit: new RateLimit(now, options.requestsPerHour),
    settings: { invalidFindsNothing: options.invalidQueryReturnsNoRows ?? false },
    slowness: options.slowness ?? 3_000,
  });
  const seed = (object: string, fields: Fields): string => seedRecord(instance, STAFF, object, fields);
  const fault = (wanted: ServicenowFault): (() => void) => {
    if (wanted.kind !== 'expired-session') return faults.start(wanted);
    oauth.endSessions();
    return () => undefined;
  };
  const staff = staffOf(instance, { user: STAFF });
  const requests: string[] = [];
  const answer = (request: SandboxRequest): SandboxAnswer | Promise<SandboxAnswer> => {
    if (request.path === '/') return { status: 200, body: instance.records.page('ServiceNow sandbox') };
    if (request.path.startsWith('/sandbox/'))
      return controlled({ fault, seed, staff, clearFaults: () => faults.clear() }, request);
    if (request.path !== '/oauth_token.do') requests.push(`${request.method} ${request.path}`);
    return gate.answer(request);
  };
  const listening = await serve(answer, options.port);
  return {
    ...listening,
    ...secretsOf(listening.url, clientCredentials),
    objects: () => {
      imports.runDue();
      return instance.records.objects();
    },
    records: (object) => {
      imports.runDue();
      return instance.own(object);
    },
    seed,
    staff,
    fault,
    requests: (part = '') => requests.filter((request) => request.includes(part)).length,
  };
};
