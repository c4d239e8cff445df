import { Connection } from 'jsforce/lib/core.js';
import { type Call, HUB_CLIENT, type SharedToken } from '../../../../core/crm/connector.ts';
import type { Credentials } from './credentials.ts';
import { codeOf, faultOfAnswer, refusalsOf } from './faults.ts';
import { type Answer, DATA, exchange, VERSION } from './http.ts';
import { login, Token } from './login.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/services/data/v…`, or from `/services/` on. */
  readonly path: string;
  /** A text is sent as CSV. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The requests of one session. */
export interface Client {
  /** The user whom the hub is in Salesforce. */
  readonly userId: () => string;
  /** The org; empty if the login did not say it. */
  readonly orgId: () => string;
  /** Headers of writes. */
  readonly writing: Readonly<Record<string, string>>;
  /**
   * Sends a request. Resolves with its answer, which may be a refusal of a record or an object. Rejects with a `CrmFault` of
   * the connection. A session that has expired is renewed once.
   */
  request(request: Request, call: Call): Promise<Answer>;
}

const SECONDS_OF_ALLOCATION = 86_400;

/** Opens a connection whose session all workers share. */
export const clientFor = async (
  credentials: Credentials,
  token: SharedToken,
  signal: AbortSignal,
): Promise<Client> => {
  let current = await token.get(undefined, () => login(credentials, signal));
  const connection = new Connection({
    ...{ ...tokenOf(current), version: VERSION },
    callOptions: { client: HUB_CLIENT },
  });
  let renewing: Promise<void> | undefined;
  const renew = async (stale: string, call: Call): Promise<void> => {
    current = await token.get(stale, () => login(credentials, call.signal));
    const { accessToken, instanceUrl } = tokenOf(current);
    Object.assign(connection, { accessToken, instanceUrl });
  };
  const attempt = async (request: Request, call: Call): Promise<{ used: string; answer: Answer }> => {
    await call.spend();
    const used = current;
    const answer = await exchange(connection, httpRequest(request), call.signal);
    observe(answer, call);
    return { used, answer };
  };
  return {
    userId: () => tokenOf(current).userId,
    orgId: () => tokenOf(current).orgId,
    writing:
      credentials.duplicateRules === 'save' ? { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } : {},
    async request(request, call) {
      const first = await attempt(request, call);
      if (!isExpired(first.answer)) return accepted(first.answer);
      // Others of this worker may have renewed it meanwhile.
      if (current === first.used)
        renewing ??= renew(first.used, call).finally(() => {
          renewing = undefined;
        });
      await renewing;
      return accepted((await attempt(request, call)).answer);
    },
  };
};

const tokenOf = (text: string): Token => Token.parse(JSON.parse(text));

const httpRequest = ({ method, path, body, headers }: Request) => ({
  method,
  url: path.startsWith('/services/') ? path : `${DATA}${path}`,
  ...(body !== undefined && {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { ...headers, 'content-type': typeof body === 'string' ? 'text/csv' : 'application/json' },
  }),
});

const observe = ({ headers }: Answer, call: Call): void => {
  const [, used, limit] = /api-usage=(\d+)\/(\d+)/u.exec(headers['sforce-limit-info'] ?? '') ?? [];
  if (used !== undefined && limit !== undefined)
    call.observe?.({ used: Number(used), limit: Number(limit), perSeconds: SECONDS_OF_ALLOCATION });
};

/** A session that policies of the org do not let use the API is not renewed: a new one would be refused as well. */
const isExpired = ({ status, body }: Answer): boolean => {
  const [first] = refusalsOf(body);
  if (first === undefined) return false;
  if (codeOf(first) === 'URL_NOT_RESET') return true;
  return status === 401 && !/not valid for use with|not attached to Agent/u.test(first.message ?? '');
};

const accepted = (answer: Answer): Answer => {
  const fault = faultOfAnswer(answer);
  if (fault?.scope === 'connection') throw fault;
  return answer;
};
