import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import { AsyncApi, asyncError } from './bulk/async.ts';
import type { Caller } from './data/change.ts';
import { notInSandbox } from './data/errors.ts';
import type { Org } from './data/org.ts';
import { type Faults, faultAnswers, sessionEnded, sessionWithoutScope } from './faults.ts';
import type { OAuth } from './oauth.ts';
import { answering, callOf, type Service } from './rest/call.ts';
import { dispatch } from './rest/dispatch.ts';
import { versions } from './rest/resources.ts';

const DAY = 86_400_000;

/** The requests of the last 24 hours, against what is allowed. */
export class Usage {
  readonly #allowed: number;
  readonly #now: () => number;
  readonly #times: number[] = [];

  constructor(allowed: number, now: () => number) {
    this.#allowed = allowed;
    this.#now = now;
  }

  count(): void {
    this.#times.push(this.#now());
  }

  read(): { readonly used: number; readonly allowed: number } {
    const yesterday = this.#now() - DAY;
    while ((this.#times[0] ?? yesterday) < yesterday) this.#times.shift();
    return { used: this.#times.length, allowed: this.#allowed };
  }
}

/** Whether a request changes something, so that its answer can be lost. */
const isWrite = ({ method, path }: SandboxRequest): boolean =>
  method !== 'GET' && !path.startsWith('/services/oauth2');

/** What every request passes: faults, the session, the daily allowance. */
export class Gate {
  readonly #org: Org;
  readonly #faults: Faults;
  readonly #oauth: OAuth;
  readonly #usage: Usage;
  readonly #service: () => Service;
  readonly #async: AsyncApi;
  readonly #slowness: number;

  /** `slowness`: how late a slow answer is, in milliseconds. */
  constructor(
    org: Org,
    faults: Faults,
    oauth: OAuth,
    usage: Usage,
    service: () => Service,
    slowness: number,
  ) {
    this.#org = org;
    this.#faults = faults;
    this.#oauth = oauth;
    this.#usage = usage;
    this.#service = service;
    this.#async = new AsyncApi(org);
    this.#slowness = slowness;
  }

  async answer(request: SandboxRequest): Promise<SandboxAnswer> {
    const concerns = this.#faults.concerns(request);
    if (this.#faults.take('slow', concerns)) await delay(this.#slowness, undefined, { ref: false });
    const broken = (['down', 'html'] as const).find((kind) => this.#faults.take(kind, concerns));
    if (broken) return faultAnswers[broken]();
    if (request.path === '/services/oauth2/token') return this.#login(request);
    this.#usage.count();
    const { used, allowed } = this.#usage.read();
    const answer = this.#refuse(request, used > allowed) ?? this.#within(request);
    const headers = { 'sforce-limit-info': `api-usage=${used}/${allowed}`, ...answer.headers };
    const lost = isWrite(request) && this.#faults.take('lost-response', concerns);
    return { ...answer, headers, ...(lost && { hangUp: true }) };
  }

  #login(request: SandboxRequest): SandboxAnswer {
    if (this.#faults.take('login-refused', () => true))
      return { status: 400, body: { error: 'invalid_grant', error_description: 'authentication failure' } };
    return this.#oauth.token(request);
  }

  #refuse(request: SandboxRequest, isSpent: boolean): SandboxAnswer | undefined {
    const concerns = this.#faults.concerns(request);
    if (this.#faults.take('login-refused', () => true)) return sessionEnded();
    if (this.#faults.take('rate-limited', concerns)) return faultAnswers['rate-limited']();
    if (isSpent || this.#faults.take('daily-limit', concerns)) return faultAnswers['daily-limit']();
    return this.#faults.take('missing-scope', ({ object }) => object === undefined)
      ? sessionWithoutScope()
      : undefined;
  }

  #within(request: SandboxRequest): SandboxAnswer {
    const { path, headers, query } = request;
    if (path === '/services/data' || path === '/services/data/') return versions();
    const isAsync = path.startsWith('/services/async/');
    const bearer = /^(?:Bearer|OAuth) (.+)$/iu.exec(headers['authorization'] ?? '')?.[1];
    const user = this.#oauth.user(headers['x-sfdc-session'] ?? bearer ?? query.get('oauth_token') ?? '');
    if (user === undefined)
      return isAsync ? asyncError('InvalidSessionId', 'Invalid session id') : sessionEnded();
    if (path === '/services/oauth2/userinfo' || path.startsWith('/id/')) return this.#oauth.identity(user);
    this.#org.schema.hide(this.#faults.hiddenFrom(request));
    const caller = this.#caller(request, user);
    try {
      if (isAsync) return this.#async.answer(caller, request.method, path.split('/').slice(4), request.body);
      if (!path.startsWith('/services/data/v')) return notInSandbox(`${request.method} ${path}`).answer();
      return answering(() => dispatch(callOf(this.#service(), caller, request)));
    } finally {
      this.#org.schema.hide([]);
    }
  }

  #caller({ headers, path }: SandboxRequest, user: string): Caller {
    const [version] = /(?<=\/v?)\d+\.0(?=\/|$)/u.exec(path) ?? ['62.0'];
    const client = /client=([^;,]+)/u.exec(headers['sforce-call-options'] ?? '')?.[1]?.trim();
    const rule = headers['sforce-duplicate-rule-header'] ?? '';
    const locks = new Map<string, boolean>();
    return {
      user,
      origin: `com/salesforce/api/rest/${version}${client === undefined ? '' : `;client=${client}`}`,
      allowDuplicates: /allowSave=true/iu.test(rule),
      recordDetails: /includeRecordDetails=true/iu.test(rule),
      // A fault is used once per request, however many rows of the object the request has.
      locked: (name) => {
        const locked =
          locks.get(name) ??
          this.#faults.take(
            'row-lock',
            ({ object }) => object === undefined || object.toLowerCase() === name.toLowerCase(),
          );
        locks.set(name, locked);
        return locked;
      },
    };
  }
}
