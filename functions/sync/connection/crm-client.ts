import { isDeepStrictEqual } from 'node:util';
import type { Call, CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { isAwsRefusal } from '../../aws/clients/refusal.ts';
import { secretCache } from '../../aws/clients/secret.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { lease } from './lease.ts';

/** A session, and the account of the CRM to which it leads, where the CRM says which. */
interface Opened {
  readonly session: CrmSession;
  readonly account: string | undefined;
}

/** The session of one worker with a CRM. */
export interface CrmClient {
  /** The open session, or a new one where the stored secret has changed for some seconds. Rejects with `CrmFault`. */
  open(signal: AbortSignal): Promise<Opened>;
  /** A new session with the secret as it is stored now. Rejects with `CrmFault`. */
  openAnew(signal: AbortSignal): Promise<Opened>;
  /** The next `open` opens a new session. */
  close(): void;
  /** Whether the stored secret differs from the one that was used last: a refused login is then nobody's fault. */
  hasNewSecret(): Promise<boolean>;
}

/** A changed secret is used within a minute. */
const SECRET_MS = 45_000;

/** `name`: of the secret; `callWith`: for the question which account a new session is of. */
export const crmClient = (
  connector: Pick<CrmConnector, 'id' | 'title' | 'open'>,
  name: string,
  table: Table,
  runtime: Runtime,
  callWith: (signal: AbortSignal) => Call,
): CrmClient => {
  const secrets = secretCache(runtime, SECRET_MS);
  let used: unknown;
  let opened: Opened | undefined;
  const read = (how: 'get' | 'refresh'): Promise<unknown> =>
    secrets[how](name).catch((error: unknown) => {
      if (error instanceof SyntaxError || isAwsRefusal(error, 'ResourceNotFoundException'))
        throw missingSecret(connector.title, name, error);
      throw error;
    });
  const open = async (credentials: unknown, signal: AbortSignal): Promise<Opened> => {
    if (opened !== undefined && isDeepStrictEqual(used, credentials)) return opened;
    [used, opened] = [credentials, undefined];
    const token = lease(connector.id, credentials, table, runtime.now);
    const session = await connector.open(credentials, token, signal);
    opened = { session, account: await session.account(callWith(signal)) };
    return opened;
  };
  return {
    open: async (signal) => open(await read('get'), signal),
    async openAnew(signal) {
      opened = undefined;
      return open(await read('refresh'), signal);
    },
    close() {
      opened = undefined;
    },
    async hasNewSecret() {
      const before = used;
      return !isDeepStrictEqual(before, await read('refresh').catch(() => before));
    },
  };
};

const missingSecret = (title: string, name: string, cause: unknown): CrmFault =>
  new CrmFault(
    'unreadable-secret',
    `The secret ${name} of ${title} does not exist or is no JSON. Store its credentials there; the hub uses them within a minute.`,
    { scope: 'connection', why: 'setup', cause },
  );
