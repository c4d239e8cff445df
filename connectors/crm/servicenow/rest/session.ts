import type { Call, SharedToken } from '../../../../core/crm/connector.ts';
import { type BatchSize, batchSize } from './batch-size.ts';
import type { Credentials } from './credentials.ts';
import { faultOf } from './faults.ts';
import { type Answer, exchange } from './http.ts';
import { login } from './login.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From `/api/` on. */
  readonly path: string;
  /** The table that is concerned, for the words of a fault. */
  readonly table: string;
  readonly body?: object;
}

/** The requests of one session. */
export interface Client {
  /** Resolves with an answer that was accepted; rejects with a `CrmFault`. A token that has expired is renewed once. */
  request(request: Request, call: Call): Promise<Answer>;
  readonly batchSize: BatchSize;
}

/** Opens a session whose token all workers share; basic authentication needs none. */
export const clientFor = async (
  credentials: Credentials,
  token: SharedToken,
  signal: AbortSignal,
): Promise<Client> => {
  const authorization = await authorizationOf(credentials, token, signal);
  const attempt = async ({ method, path, body }: Request, call: Call): Promise<Answer> => {
    await call.spend();
    return exchange(
      `${credentials.instanceUrl}${path}`,
      {
        method,
        headers: {
          ...{ authorization: authorization.current(), accept: 'application/json' },
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      call.signal,
    );
  };
  return {
    batchSize: batchSize(),
    async request(request, call) {
      const used = authorization.current();
      let answer = await attempt(request, call);
      if (answer.status === 401 && (await authorization.renewed(used, call.signal)))
        answer = await attempt(request, call);
      const fault = faultOf(answer, request.table);
      if (fault !== undefined) throw fault;
      return answer;
    },
  };
};

interface Authorization {
  readonly current: () => string;
  /** Renews what was refused, unless it was renewed meanwhile; false if it cannot be renewed. */
  readonly renewed: (refused: string, signal: AbortSignal) => Promise<boolean>;
}

const authorizationOf = async (
  credentials: Credentials,
  token: SharedToken,
  signal: AbortSignal,
): Promise<Authorization> => {
  if (credentials.kind === 'basic') {
    const pair = `${credentials.username}:${credentials.password}`;
    const basic = `Basic ${Buffer.from(pair).toString('base64')}`;
    return { current: () => basic, renewed: async () => false };
  }
  let current = await token.get(undefined, () => login(credentials, signal));
  let renewing: Promise<void> | undefined;
  const renew = async (until: AbortSignal): Promise<void> => {
    current = await token.get(current, () => login(credentials, until));
  };
  return {
    current: () => `Bearer ${current}`,
    async renewed(refused, until) {
      if (refused === `Bearer ${current}`)
        renewing ??= renew(until).finally(() => {
          renewing = undefined;
        });
      await renewing;
      return true;
    },
  };
};
