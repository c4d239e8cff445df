import type { CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import type { Accounts } from '../../../core/identity/crm/accounts.ts';
import type { CrmConnection } from './connection.ts';
import type { CrmClient } from './crm-client.ts';

export interface OpenPorts {
  readonly crm: Pick<CrmConnector, 'id' | 'title'>;
  readonly client: Pick<CrmClient, 'open' | 'openAnew'>;
  readonly connection: Pick<CrmConnection, 'read' | 'accountFound'>;
}

/**
 * Opens the session, unless it is of another account than the links that a worker uses: the ids of one account are strangers
 * in another. `accounts`: as the worker read them when it chose its links. Rejects with a `CrmFault` `other-crm-account` of
 * the connection, or with `HubError` `crm-pause` where a person has accepted the account meanwhile.
 */
export const openInAccount = async (
  { crm, client, connection }: OpenPorts,
  accounts: Accounts | undefined,
  signal: AbortSignal,
  how: 'open' | 'openAnew' = 'open',
): Promise<CrmSession> => {
  const { session, account } = await client[how](signal);
  if (account === undefined || account === accounts?.present) return session;
  if (accounts === undefined && (await connection.accountFound(account)) === account) return session;
  const { accounts: now } = await connection.read();
  if (now?.present === account) throw accepted(crm, account);
  throw otherAccount(crm, account, now?.present ?? account);
};

const RETRY_SECONDS = 1;

const accepted = ({ title }: OpenPorts['crm'], account: string): HubError =>
  new HubError('crm-pause', `The hub has begun to use the account ${account} of ${title}.`, {
    retry: { afterSeconds: RETRY_SECONDS },
  });

const otherAccount = ({ id, title }: OpenPorts['crm'], account: string, before: string): CrmFault =>
  new CrmFault(
    'other-crm-account',
    `The secret of ${title} leads to the account ${account}, but people are linked to records of the account ${before}. Nothing is written to ${account}, where the same ids may be other people. To go on there, run \`hub connect ${id} --new-account\`: everybody is looked up again, and the links to ${before} are kept for a return. To go on in ${before}, store its secret again with \`hub connect ${id}\`.`,
    { scope: 'connection', why: 'setup' },
  );
