import type { DatabaseSync } from 'node:sqlite';
import type { Fault, Fields, HeldRecord, Sandbox, SandboxOptions } from '../protocol/sandbox.ts';
import { type SandboxAnswer, type SandboxRequest, serve } from '../protocol/server.ts';
import { Jobs } from './bulk/jobs.ts';
import { controlled } from './control.ts';
import type { Caller } from './data/change.ts';
import type { ChangeEvent } from './data/change-events.ts';
import { DuplicateRule } from './data/duplicate-rule.ts';
import { Org } from './data/org.ts';
import { Faults } from './faults.ts';
import { Gate, Usage } from './gate.ts';
import { OAuth, salesforceLogin } from './oauth.ts';
import { Cursors } from './rest/cursors.ts';
import { dispatch } from './rest/dispatch.ts';
import type { CustomField, CustomObject } from './schema/metadata.ts';
import { create, type SalesforceStaff, staffOf } from './staff.ts';

export type { ChangeEvent } from './data/change-events.ts';
export { salesforceLogin } from './oauth.ts';

export interface SalesforceOptions extends SandboxOptions<ChangeEvent> {
  /** Fields that an administrator has added, as the Tooling API takes them. */
  readonly customFields?: readonly CustomField[];
  /** Objects that an administrator has added, in the shape of the Metadata API. */
  readonly customObjects?: readonly CustomObject[];
  /** Whether the org has person accounts; default not. */
  readonly personAccounts?: boolean;
  /** The duplicate rules that are active; default none. */
  readonly duplicateRules?: readonly DuplicateRule[];
  /** Distinguishes one org from another; default 1. */
  readonly orgNumber?: number;
  /** API requests in 24 hours. */
  readonly dailyLimit?: number;
  /** How often the state of a bulk job is asked for before it is complete; default 0. */
  readonly bulkPolls?: number;
  /** How long an answer takes under the fault `slow`, in milliseconds; default 3,000. */
  readonly slowness?: number;
  /** The certificate or public key (PEM) of the connected app, for JWT bearer logins. */
  readonly jwtKey?: string;
}

export interface SalesforceSandbox extends Sandbox {
  readonly staff: SalesforceStaff;
  /** Makes these duplicate rules the active ones. */
  activate(rules: readonly DuplicateRule[]): void;
}

const DAILY_LIMIT = 100_000;

/** As changes in Salesforce's own pages are reported. */
const PAGES = 'com/salesforce/api/soap/62.0;client=SfdcInternalAPI/';

const person = (user: string, more: Partial<Caller> = {}): Caller => ({
  user,
  origin: PAGES,
  allowDuplicates: true,
  recordDetails: false,
  locked: () => false,
  ...more,
});

/** Adds what is not there yet; a sandbox that opens its database again has it. */
const furnish = (
  org: Org,
  { customFields = [], customObjects = [], personAccounts = false }: SalesforceOptions,
): void => {
  if (personAccounts) org.schema.enablePersonAccounts();
  for (const object of customObjects) if (!org.schema.object(object.fullName)) org.schema.addObject(object);
  for (const field of customFields) {
    const [object = '', name = ''] = field.FullName.split('.');
    const type = org.schema.object(object === 'Activity' ? 'Task' : object);
    if (!type || !org.schema.field(type, name)) org.schema.addField(field);
  }
};

/** The ids of the user of the connected app and of a person. */
const usersOf = (org: Org): readonly [app: string, staff: string] => {
  const type = org.schema.object('User');
  const found = type ? org.list(type).map(({ id }) => id) : [];
  const make = (FirstName: string, Username: string) =>
    create(org, person('', { longAgo: true }), 'User', {
      FirstName,
      LastName: 'User',
      Username,
      Email: Username,
      Alias: FirstName.slice(0, 8),
      IsActive: true,
    });
  const [
    app = make('Integration', salesforceLogin.username),
    staff = make('Staff', 'staff@sandbox.invalid'),
  ] = found;
  return [app, staff];
};

/** Salesforce as its clients see it over REST, and as event relays see its changes. */
export const salesforceSandbox = async (
  db: DatabaseSync,
  options: SalesforceOptions = {},
): Promise<SalesforceSandbox> => {
  const now = options.now ?? Date.now;
  const org = new Org(db, now, options.orgNumber ?? 1, options.report);
  furnish(org, options);
  org.duplicateRules = options.duplicateRules ?? [];
  const [app, employee] = usersOf(org);
  const staff = staffOf(org, person(employee));
  const requests: string[] = [];
  const faults = new Faults(org.schema);
  const oauth = new OAuth({ org, user: app, jwtKey: options.jwtKey, url: () => listening.url });
  const usage = new Usage(options.dailyLimit ?? DAILY_LIMIT, now);
  const service = {
    org,
    cursors: new Cursors(() => org.newId('01g')),
    jobs: new Jobs(options.bulkPolls ?? 0),
    usage: () => usage.read(),
    dispatch,
  };
  const gate = new Gate(
    org,
    faults,
    oauth,
    usage,
    () => ({ ...service, url: listening.url }),
    options.slowness ?? 3_000,
  );
  const fault = (wanted: Fault): (() => void) => {
    if (wanted.kind !== 'expired-session') return faults.add(wanted);
    oauth.endSessions();
    return () => undefined;
  };
  const seed = (object: string, fields: Fields) =>
    create(org, person(employee, { longAgo: true }), object, fields);
  const answer = (request: SandboxRequest): SandboxAnswer | Promise<SandboxAnswer> => {
    if (request.path === '/') return { status: 200, body: org.page() };
    if (request.path.startsWith('/sandbox/'))
      return controlled({ org, fault, seed, staff, endFaults: () => faults.clear() }, request);
    if (!request.path.startsWith('/services/oauth2/')) requests.push(`${request.method} ${request.path}`);
    return gate.answer(request);
  };
  const listening = await serve(answer, options.port);
  const held = (object: string): readonly HeldRecord[] => {
    const type = org.schema.object(object);
    return type ? org.list(type) : [];
  };
  return {
    ...listening,
    secret: {
      loginUrl: listening.url,
      clientId: salesforceLogin.clientId,
      clientSecret: salesforceLogin.clientSecret,
    },
    objects: () =>
      org.schema
        .objects()
        .map(({ name }) => name)
        .filter((name) => held(name).length > 0),
    records: held,
    seed,
    staff,
    fault,
    requests: (part = '') => requests.filter((request) => request.includes(part)).length,
    activate: (rules) => {
      org.duplicateRules = rules.map((rule) => DuplicateRule.parse(rule));
    },
  };
};
