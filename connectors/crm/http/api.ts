import type { Call, SharedToken } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { HttpRequest, HttpSection } from '../../../core/crm/mapping/http.ts';
import { matches, parsePattern } from '../../../core/triggers/pattern/index.ts';
import { type About, type Answer, type Judge, judge } from './answer.ts';
import { exchange, type HttpEnvironment, type PreparePorts, prepare } from './request.ts';
import { placeOf, type Variables } from './templates.ts';

/** What is asked of the CRM. */
interface Question {
  readonly request: HttpRequest & { readonly success?: object | undefined };
  readonly variables: Variables;
  readonly about: About;
  readonly isCreation?: boolean;
}

/** One CRM as its mapping describes it, with its login. */
export interface Api {
  readonly title: string;
  /** An answer that its rules call a success. Rejects with the `CrmFault` of any other. */
  readonly ask: (question: Question, call: Call) => Promise<Answer>;
  readonly judge: Judge;
  /** Gets a token where the mapping has a login. */
  readonly logIn: (signal: AbortSignal) => Promise<void>;
}

export interface ApiPorts extends PreparePorts {
  readonly shared: SharedToken;
  readonly world: HttpEnvironment;
}

/** Makes a mapping's section ready. Throws a `CrmFault` of the connection for a host that is not allowed here. */
export const openApi = (ports: ApiPorts): Api => {
  const { title, http, world, shared } = ports;
  const { login } = http;
  if (!world.isLocal && !http.host.startsWith('https:'))
    throw new CrmFault(
      'http-setup',
      `The host of ${title} must begin with https://. Correct \`http.host\` in mappings/crm/${ports.crm}.yaml.`,
      {
        ...{ scope: 'connection', why: 'setup' },
      },
    );
  const rules = judge(ports, http);
  const expired = login === undefined ? undefined : parsePattern(login.expired);
  let token: string | undefined;
  const renewed = async (stale: string | undefined, signal: AbortSignal): Promise<string | undefined> => {
    if (login === undefined) return undefined;
    token = await shared.get(stale, () => newToken(ports, rules, login, signal));
    return token;
  };
  const send = async (question: Question, call: Call, present: string | undefined): Promise<Answer> => {
    const { request, variables, isCreation = false } = question;
    const prepared = prepare(
      ports,
      request,
      { ...variables, token: present },
      { isCreation, now: world.now() },
    );
    await call.spend();
    return exchange(title, prepared, call.signal, world.fetch);
  };
  return {
    ...{ title, judge: rules },
    async logIn(signal) {
      await renewed(undefined, signal);
    },
    async ask(question, call) {
      const first = token ?? (await renewed(undefined, call.signal));
      let answer = await send(question, call, first);
      if (expired !== undefined && matches(expired, answer))
        answer = await send(question, call, await renewed(first, call.signal));
      const fault = rules(answer, question.about, question.request.success);
      if (fault !== undefined) throw fault;
      return answer;
    },
  };
};

/** Logs in. A refusal concerns the connection, whatever the rules say of its scope. */
const newToken = async (
  ports: ApiPorts,
  rules: Judge,
  login: NonNullable<HttpSection['login']>,
  signal: AbortSignal,
): Promise<string> => {
  const { title, world, crm } = ports;
  // The headers of the other requests need the token that the login is to give.
  const bare = { ...ports, http: { ...ports.http, headers: {}, auth: undefined, sign: undefined } };
  const prepared = prepare(bare, login, {}, { now: world.now() });
  const answer = await exchange(title, prepared, signal, world.fetch);
  const fault = rules(answer, {}, login.success);
  if (fault !== undefined) throw asConnection(fault, title);
  const found = placeOf(login.token, { ...answer, secret: ports.secret });
  if (typeof found === 'string' && found.trim() !== '') return found;
  throw new CrmFault(
    'http-setup',
    `The login of ${title} succeeded, but its answer has no token at \`http.login.token\` of mappings/crm/${crm}.yaml.`,
    {
      ...{ scope: 'connection', why: 'setup' },
    },
  );
};

const asConnection = (fault: CrmFault, title: string): CrmFault => {
  const passes = fault.why === 'down' || fault.why === 'throttled';
  const afterSeconds = typeof fault.retry === 'object' ? fault.retry.afterSeconds : undefined;
  return new CrmFault(
    passes ? fault.code : 'http-setup',
    passes
      ? fault.message
      : `${title} refuses the login of the hub. ${fault.message} Correct the secret or \`http.login\`.`,
    { scope: 'connection', why: passes ? fault.why : 'setup', afterSeconds, cause: fault },
  );
};
